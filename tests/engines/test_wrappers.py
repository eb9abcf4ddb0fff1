from dataclasses import replace

import numpy as np
import pytest
from helpers.squares import means_of_squares
from numpy.lib.stride_tricks import sliding_window_view
from PIL import Image, ImageDraw, ImageFont

from clearzoom.core.resize import reduce_for_protocol, resize
from clearzoom.engines.network import load_network
from clearzoom.engines.tiled import enlarge_samples
from clearzoom.engines.wrappers import with_consistency, with_ensemble


@pytest.fixture(scope="module")
def small(small_weights):
    return load_network(str(small_weights), 2)


def consistent(way):
    return lambda network: with_consistency(network, way)


WAYS = ["full", 2.0, 4.0, "tones", "none"]


@pytest.mark.parametrize("refine", [with_ensemble, *map(consistent, WAYS)])
def test_tiled_equals_untiled(small, photo, refine):
    refined = refine(small)
    crop = photo[60:130, 100:190]
    tiled = enlarge_samples(crop, refined)
    whole = enlarge_samples(crop, replace(refined, tile_px=10_000))
    assert np.abs(tiled.astype(int) - whole).max() <= 1


def test_an_ensemble_turns_with_the_picture(small, random):
    x = (random.random((1, 3, 9, 12)) - 0.5).astype(np.float32)
    run = with_ensemble(small).run
    for eighth in range(8):

        def turn(picture, eighth=eighth):
            turned = np.rot90(picture, eighth % 4, (2, 3))
            return np.ascontiguousarray(turned[..., ::-1] if eighth >= 4 else turned)

        np.testing.assert_allclose(run(turn(x)), turn(run(x)), atol=1e-5)
    assert np.abs(small.run(x) - run(x)).max() > 1e-3  # the network alone does not


def test_full_consistency_gives_back_the_picture(small, photo):
    crop = photo[60:130, 100:190]
    better = enlarge_samples(crop, with_consistency(small, "full"))
    plain = enlarge_samples(crop, small)

    def difference(picture):
        return np.abs(resize(picture, *crop.shape[:2]) - crop)

    assert difference(better).mean() < 0.5 < difference(plain).mean()
    assert difference(better).max() < difference(plain).max()


@pytest.mark.parametrize("way", ["full", 2.0, 4.0, "tones"])
def test_brightness_and_colour_cannot_drift(small, photo, way):
    """Rounded to 8 bit, in small tiles, by a network that drifts by more than a level."""
    crop = (photo[60:130, 100:190] * 0.8 + 20).astype(np.uint8)  # nowhere near the range's ends
    network = replace(small, run=lambda x: small.run(x) + np.float32(2 / 255))

    def off(picture):
        left = (resize(picture, *crop.shape[:2]) - crop).transpose(2, 0, 1)
        return np.abs(means_of_squares(left)).max()

    assert off(enlarge_samples(crop, network)) > 2
    consistent = replace(with_consistency(network, way), tile_px=40)
    assert off(enlarge_samples(crop, consistent)) <= 0.5


def drawn(paper, ink, smooth):
    """Text of several sizes, thin lines, a disc: (200, 480, 3) uint8."""
    picture = Image.new("RGB", (480, 200), paper)
    draw = ImageDraw.Draw(picture)
    draw.fontmode = "L" if smooth else "1"
    at = 4
    for size in (14, 20, 30):
        text = "Sphinx of black quartz, judge my vow 0123456789"
        draw.text((6, at), text, fill=ink, font=ImageFont.load_default(size))
        at += int(size * 1.4)
    draw.line((0, 150, 300, 190), fill=ink, width=1)
    draw.line((320, 120, 330, 196), fill=ink, width=2)
    draw.rectangle((350, 130, 390, 190), outline=ink, width=3)
    draw.ellipse((400, 120, 470, 190), fill=ink)
    return np.asarray(picture)


@pytest.mark.slow
@pytest.mark.parametrize("smooth", [True, False])
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    ("paper", "ink"),
    [
        ((255, 255, 255), (0, 0, 0)),
        ((0, 0, 0), (255, 255, 255)),
        ((255, 0, 0), (0, 0, 255)),
    ],
)
@pytest.mark.parametrize("model", ["fast", "photo"])
def test_no_dots_around_text(model, paper, ink, way, smooth):
    """A white px further than 1 LR px from ink has 250 levels or more, a black one 5 or fewer."""
    hr = drawn(paper, ink, smooth)
    sr = enlarge_samples(reduce_for_protocol(hr, 4), with_consistency(load_network(model, 4), way))
    inked = (hr != np.array(paper)).any(axis=2)
    near = np.pad(inked, 4)
    near = sliding_window_view(near, (9, 9)).any(axis=(2, 3))
    for colour in range(3):
        off = np.abs(sr[..., colour].astype(int) - paper[colour])
        assert off[~near].max() <= 5
