from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clearzoom.core.resize import resize
from clearzoom.engines.network import load_network
from clearzoom.engines.tiled import enlarge_samples
from clearzoom.errors import MissingFileError, SizeError, UnknownModelError, WeightsError
from clearzoom.weights import released

WHOLE_PX = 10_000


@pytest.fixture(scope="session")
def small(small_weights):
    return load_network(str(small_weights), 2)


@pytest.mark.slow
@given(data=st.data())
def test_tiled_equals_one_run_over_the_whole_picture(small, data):
    height, width = data.draw(st.integers(1, 70)), data.draw(st.integers(1, 70))
    dtype = data.draw(st.sampled_from([np.uint8, np.uint16]))
    random = np.random.default_rng(data.draw(st.integers(0, 2**32 - 1)))
    samples = random.integers(np.iinfo(dtype).max + 1, size=(height, width, 3)).astype(dtype)
    tiled = enlarge_samples(samples, small)
    whole = enlarge_samples(samples, replace(small, tile_px=WHOLE_PX))
    assert tiled.shape == (2 * height, 2 * width, 3)
    assert tiled.dtype == dtype
    level = 1 if dtype == np.uint8 else 8
    assert np.abs(tiled.astype(int) - whole).max() <= level


def test_a_halo_one_px_short_would_show(small, random):
    """The test above can fail: the halo is needed to the last pixel but rounding hides little."""
    samples = random.integers(256, size=(40, 40, 3)).astype(np.uint16) * 257
    whole = enlarge_samples(samples, replace(small, tile_px=WHOLE_PX))
    short = enlarge_samples(samples, replace(small, halo_px=small.halo_px - 3))
    assert np.abs(short.astype(int) - whole).max() > 8


@pytest.mark.slow
def test_released_weights_tiled_equal_untiled(photo):
    network = load_network("srresnet-slim", 4)
    crop = photo[60:160, 100:230]
    tiled = enlarge_samples(crop, replace(network, tile_px=48))
    whole = enlarge_samples(crop, replace(network, tile_px=WHOLE_PX))
    assert np.abs(tiled.astype(int) - whole).max() <= 1


def test_grey_stays_grey_and_equals_the_mean_of_rgb(small, photo):
    grey = photo[:40, :50, :1] // 4 + 96  # clipping a mean is not the mean of clipped values
    larger = enlarge_samples(grey, small)
    colour = enlarge_samples(np.repeat(grey, 3, axis=2), small)
    assert larger.shape == (80, 100, 1)
    assert np.abs(larger - colour.mean(axis=2, keepdims=True)).max() <= 1


def test_alpha_is_bicubic_and_hidden_colour_does_not_bleed(small, random):
    samples = np.zeros((30, 30, 4), np.uint8)
    samples[..., :3] = random.integers(256, size=(30, 30, 3))
    samples[8:22, 8:22] = (180, 60, 20, 255)
    larger = enlarge_samples(samples, small)
    expected = np.clip(np.floor(resize(samples[..., 3], 60, 60) + 0.5), 0, 255)
    np.testing.assert_array_equal(larger[..., 3], expected)
    flat = np.full((30, 30, 3), (180, 60, 20), np.uint8)
    visible = larger[..., 3] > 0
    difference = np.abs(larger[..., :3].astype(int) - enlarge_samples(flat, small))[visible]
    assert difference.max() <= 1


@pytest.mark.parametrize("faint", [1, 3, 8])
def test_faint_px_beside_an_edge_do_not_colour_it(faint):
    """As a premultiplied bicubic has it: green about 40, and not the 255 that is hidden."""
    samples = np.full((48, 48, 4), (0, 255, 0, 0), np.uint8)
    samples[:, :24] = (180, 40, 30, 255)
    samples[:, 24, 3] = faint
    larger = enlarge_samples(samples, load_network("fast", 4))
    alpha = resize(samples[..., 3], 192, 192)
    weighted = resize(samples[..., 1] * (samples[..., 3] / 255), 192, 192)
    seen = alpha > 60
    assert (weighted[seen] / alpha[seen] * 255).max() < 60
    assert larger[seen, 1].max() < 60
    # What is seen of it, over black.
    shown = larger[..., 1].astype(float) * larger[..., 3] / 255
    assert np.abs(shown - weighted.clip(0, 255)).max() < 10


def test_deep_samples_keep_more_than_256_levels(small):
    ramp = np.linspace(0, 65535, 64 * 64).astype(np.uint16).reshape(64, 64, 1)
    assert len(np.unique(enlarge_samples(ramp, small))) > 4096


def test_progress_counts_all_tiles(small):
    seen = []
    enlarge_samples(np.zeros((20, 40, 3), np.uint8), small, lambda *at: seen.append(at))
    assert seen == [(i, 6) for i in range(1, 7)]


@pytest.mark.parametrize("card", released(), ids=lambda card: f"{card.name}-x{card.scale}")
def test_flat_fields_stay_flat_up_to_the_edge(card):
    network = load_network(card.name, card.scale)
    for level in (0, 128, 255):
        flat = enlarge_samples(np.full((24, 24, 3), level, np.uint8), network)
        assert np.abs(flat.astype(int) - level).max() <= 3, level


def test_an_empty_picture_is_refused(small):
    with pytest.raises(SizeError):
        enlarge_samples(np.zeros((0, 4, 3), np.uint8), small)


def test_loading_says_what_is_wrong(small_weights, tmp_path):
    with pytest.raises(UnknownModelError, match="srresnet-slim x4"):
        load_network("nothing", 4)
    with pytest.raises(UnknownModelError, match="x3"):
        load_network("srresnet-slim", 3)
    with pytest.raises(UnknownModelError, match="enlarges x2, not x4"):
        load_network(str(small_weights), 4)
    with pytest.raises(MissingFileError):
        load_network(str(tmp_path / "none.onnx"), 4)
    with pytest.raises(UnknownModelError, match="clearzoom export"):
        load_network("some.safetensors", 4)
    (tmp_path / "bad.onnx").write_bytes(b"")
    with pytest.raises(WeightsError):
        load_network(str(tmp_path / "bad.onnx"), 4)
