import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from clearzoom.core.alpha import REACH_PX, fill_transparent


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
