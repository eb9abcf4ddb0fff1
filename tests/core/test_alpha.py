import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clearzoom.core.alpha import REACH_PX, fill_transparent, spread_colour
from clearzoom.core.resize import resize


def test_hidden_px_take_the_nearest_visible_colour():
    colour = np.zeros((9, 9, 3), np.uint8)
    alpha = np.zeros((9, 9), np.uint8)
    colour[4, 4], alpha[4, 4] = (10, 200, 30), 255
    filled = fill_transparent(colour, alpha)
    assert (filled == (10, 200, 30)).all()


def test_visible_px_stay_and_the_weight_is_alpha():
    colour = np.array([[[0], [100], [200]]], np.uint16)
    alpha = np.array([[1, 0, 3]], np.uint16)
    np.testing.assert_array_equal(fill_transparent(colour, alpha)[..., 0], [[0, 150, 200]])


@given(st.integers(0, 2**32 - 1))
def test_a_part_is_filled_as_the_whole_is(seed):
    random = np.random.default_rng(seed)
    colour = random.integers(256, size=(90, 110, 3)).astype(np.uint8)
    alpha = (random.random((90, 110)) < 0.01).astype(np.uint8) * 200
    alpha[:40] = 0
    whole = fill_transparent(colour, alpha)
    part = fill_transparent(colour[:, 10:], alpha[:, 10:])
    np.testing.assert_array_equal(part[:, REACH_PX:], whole[:, 10 + REACH_PX :])


def test_nothing_hidden_or_nothing_visible_changes_nothing():
    colour = np.arange(27, dtype=np.uint8).reshape(3, 3, 3)
    for level in (0, 255):
        assert fill_transparent(colour, np.full((3, 3), level, np.uint8)) is colour


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_faint_px_beside_an_opaque_edge_take_its_colour(dtype):
    unit = np.iinfo(dtype).max // 255
    colour = np.full((5, 6, 3), (0, 255 * unit, 0), dtype)
    colour[:, :3] = np.array((180, 40, 30)) * unit
    alpha = np.full((5, 6), 255 * unit, dtype)
    alpha[:, 3:] = 0
    for faint, green in ((1, 40), (4, 47), (8, 72), (64, 254)):
        alpha[:, 3] = faint * unit
        filled = fill_transparent(colour, alpha)
        np.testing.assert_array_equal(filled[:, :3], colour[:, :3])
        np.testing.assert_allclose(filled[1:4, 3, 1] / unit, green, atol=3)
        # What is seen changes by less than 8 levels of 255.
        seen = (filled[:, 3, 1].astype(float) - colour[:, 3, 1]) * faint / 255
        assert np.abs(seen).max() < 8 * unit


def test_even_alpha_hides_nothing():
    colour = np.random.default_rng(3).integers(256, size=(20, 20, 3)).astype(np.uint8)
    alpha = np.full((20, 20), 5, np.uint8)
    np.testing.assert_array_equal(fill_transparent(colour, alpha), colour)
    alpha[:10] = 8  # of such neighbours, too
    np.testing.assert_array_equal(fill_transparent(colour, alpha), colour)


@given(st.integers(0, 2**32 - 1), st.sampled_from([2, 3, 4]))
def test_spreading_alpha_brings_colour_as_a_premultiplied_enlargement_does(seed, scale):
    random = np.random.default_rng(seed)
    colour = random.integers(256, size=(9, 8, 3)).astype(np.uint8)
    alpha = random.choice([0, 0, 3, 90, 255], (9, 8)).astype(np.uint8)
    larger = resize(alpha, 9 * scale, 8 * scale).clip(0, 255)
    levels, share = spread_colour(colour, alpha, larger)
    assert ((share >= 0) & (share <= 1)).all()
    own = alpha.repeat(scale, 0).repeat(scale, 1)
    assert (share[larger <= own] == 0).all()
    premultiplied = resize(colour * (alpha[..., None] / 255), *larger.shape, "linear")
    weight = resize(alpha / 255, *larger.shape, "linear")[..., None]
    where = share[..., 0] > 0
    np.testing.assert_allclose(levels[where], (premultiplied[where] / weight[where]), atol=1e-6)
