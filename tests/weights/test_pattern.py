"""Networks draw no pattern that repeats: with every LR px, or in texture with any pitch."""

import io

import numpy as np
import pytest
from PIL import Image
from skimage import data

from clearzoom.engines.network import load_network
from clearzoom.metrics.methods import LrPicture
from clearzoom.pipeline.command_method import plain_command

pytestmark = pytest.mark.slow

SCALE, SIDE_PX, EDGE_PX = 4, 64, 20  # LR; what is nearer to the edge than EDGE_PX is left out
ACROSS, DOWN = np.meshgrid(np.arange(SIDE_PX), np.arange(SIDE_PX))


def smooth_pictures():
    """Flat ones, and graded ones of less than a level to three a px, in several directions."""
    for colour in ((128, 128, 128), (30, 60, 90), (200, 180, 150), (90, 160, 60), (240, 240, 236)):
        yield np.tile(np.float64(colour), (SIDE_PX, SIDE_PX, 1))
    for slope in (0.3, 1.0, 3.0):
        for towards in (0, 45, 70, 160):
            along = ACROSS * np.cos(np.radians(towards)) + DOWN * np.sin(np.radians(towards))
            grey = 128 + slope * (along - along.mean())
            yield grey[..., None] * np.float64([1, 0.9, 0.8])


def pattern_levels(sr):
    """The spectrum at the pitch of LR px and its multiples: rms of the pattern, levels.

    Args:
        sr: (H, W, 3) float, levels; H and W multiples of 4.
    """
    side_px = len(sr)
    across, down = (axis.ravel() for axis in np.meshgrid(np.arange(side_px), np.arange(side_px)))
    plane = np.stack([across, down, np.ones_like(across)], 1)
    values = sr.reshape(-1, 3)
    rest = (values - plane @ np.linalg.lstsq(plane, values)[0]).reshape(sr.shape)
    spectrum = np.abs(np.fft.fft2(rest, axes=(0, 1))) / side_px**2
    at_pitch = spectrum[:: side_px // SCALE, :: side_px // SCALE].copy()
    at_pitch[0, 0] = 0
    return float(np.sqrt((at_pitch**2).sum((0, 1)).mean()))


def inner(sr):
    edge = EDGE_PX * SCALE
    return sr[edge:-edge, edge:-edge].astype(float)


def by_network(model, strength=1.0):
    network = load_network(model, SCALE, strength=strength)

    def enlarge(levels):
        x = np.float32(levels.round().transpose(2, 0, 1)[None] / 255 - 0.5)
        return (network.run(x)[0].transpose(1, 2, 0) + 0.5) * 255

    return enlarge


def by_command(model):
    method = plain_command(model, SCALE)
    return lambda levels: method.enlarge(LrPicture(levels.round().clip(0, 255).astype(np.uint8)))


def test_a_pattern_is_measured():
    dots = np.zeros((96, 96, 3))
    dots[::4, ::4] = 16
    assert pattern_levels(dots) == pytest.approx(16 * np.sqrt(15 / 256), rel=1e-3)
    assert (
        pattern_levels(np.add.outer(np.arange(96), 2 * np.arange(96))[..., None] + dots * 0) < 0.01
    )


@pytest.mark.parametrize("way", [by_network, by_command])
def test_crisp_weights_draw_no_grid(way):
    crisp, photo = (
        [pattern_levels(inner(enlarge(levels))) for levels in smooth_pictures()]
        for enlarge in (way("photo-crisp"), way("photo"))
    )
    assert max(crisp) < max(photo) + 0.05
    assert np.median(crisp) < np.median(photo) + 0.1
    assert all(c < p + 0.1 for c, p in zip(crisp, photo, strict=True))


@pytest.mark.parametrize("strength", [0.25, 0.5, 0.6, 0.75])
def test_between_the_weights_the_grid_stays_below_what_rounding_does(strength):
    """Rounding to whole levels is noise of 0.29. The mean of weights has more than either."""
    enlarge = by_network("photo-crisp", strength)
    for levels in smooth_pictures():
        assert pattern_levels(inner(enlarge(levels))) < 0.27


def textures():
    """Noise and a photograph, as they come from a camera and as JPEG left them."""
    random = np.random.default_rng(0)
    grey = (128 + random.normal(0, 8, (96, 96, 3))).round().clip(0, 255).astype(np.uint8)
    gravel = np.repeat(data.gravel()[:384:4, :384:4, None], 3, 2)
    cat = np.asarray(Image.fromarray(data.chelsea()[:288, :432]).resize((108, 72), Image.BICUBIC))
    for given in (grey, gravel, cat):
        yield given
        file = io.BytesIO()
        Image.fromarray(given).save(file, "JPEG", quality=60)
        yield np.asarray(Image.open(file))


def peak_ratio(sr):
    """How far the spectrum's highest peak stands above what is around it, as a ratio of powers.

    Welch's spectrum of 64x64 px; frequencies below 12/64 of a cycle a px, in both directions, are
    left out: pictures themselves have peaks there.
    """
    side_px, near = 64, 6
    grey = sr.astype(float).mean(2)
    parts = np.lib.stride_tricks.sliding_window_view(grey, (side_px, side_px))[::32, ::32]
    window = np.outer(np.hanning(side_px), np.hanning(side_px))
    centred = (parts - parts.mean((2, 3), keepdims=True)) * window
    power = (np.abs(np.fft.fft2(centred)) ** 2).mean((0, 1))
    round_it = np.pad(power, near, "wrap")
    areas = np.lib.stride_tricks.sliding_window_view(round_it, (2 * near + 1, 2 * near + 1))
    away = np.abs(np.fft.fftfreq(side_px, 1 / side_px))
    high = np.maximum.outer(away, away) >= 12
    return float((power / np.median(areas, (2, 3)))[high].max())


def test_a_weave_is_measured():
    noise = np.random.default_rng(0).normal(128, 2, (256, 256, 3))
    at = np.arange(256) * 2 * np.pi * 20 / 64
    assert peak_ratio(noise) < 4
    assert peak_ratio(noise + np.cos(at[:, None] + at)[..., None]) > 50


@pytest.mark.parametrize("model", ["photo", "photo-crisp"])
def test_texture_gets_no_weave(model):
    """Crisp weights that were not trained with the loss ``peaks`` had up to 29."""
    enlarge = plain_command(model, SCALE).enlarge
    ratios = [peak_ratio(enlarge(LrPicture(texture))) for texture in textures()]
    assert np.median(ratios) < 6
    assert max(ratios) < 9
