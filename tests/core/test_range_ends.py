import numpy as np
import pytest

from clearzoom.core.range_ends import block_inward_steps, find_range_ends, pin_to_ends


def page(sign=1):
    """White paper with a grey line in it; or with sign -1 the other way round."""
    lr = np.full((3, 30, 30), 0.5, np.float32)
    lr[:, 15] = -0.2
    return sign * lr


@pytest.mark.parametrize("sign", [1, -1])
def test_drawn_paper_is_held_and_ink_is_not(sign):
    ends = find_range_ends(page(sign))
    assert (ends.pinned[:, 15] == 0).all()
    assert (np.delete(ends.pinned, 15, axis=1) == sign).all()
    assert (ends.bounded == ends.pinned).all()


def test_a_px_that_a_line_beside_it_darkened_is_held_with_the_paper_around_it():
    lr = page()
    lr[:, 14] = 0.5 - 5 / 255
    assert (find_range_ends(lr).pinned[:, 14] == 1).all()
    lr[:, 14] = 0.5 - 9 / 255
    assert (find_range_ends(lr).pinned[:, 14] == 0).all()


def test_noise_at_an_end_is_not_held_but_kept(random):
    noise = random.normal(-4 / 255, 6 / 255, (3, 60, 60))
    lr = np.minimum(0.5, 0.5 + noise).astype(np.float32)
    ends = find_range_ends(lr)
    assert (lr == 0.5).mean() > 0.2
    assert (ends.pinned != 0).mean() < 0.01
    assert (ends.bounded[lr == 0.5] == 1).all()


def test_light_that_fades_is_held_only_where_it_is_white():
    fading = np.minimum(0.5, np.linspace(0.6, 0.4, 40)).astype(np.float32)
    lr = np.broadcast_to(fading, (3, 40, 40))
    np.testing.assert_array_equal(find_range_ends(lr).pinned != 0, lr == 0.5)


def test_where_nothing_is_at_an_end_nothing_is_found(random):
    assert find_range_ends(random.uniform(-0.49, 0.49, (3, 9, 9)).astype(np.float32)) is None


def test_each_colour_has_its_own_ends():
    red = np.stack([np.full((9, 9), level, np.float32) for level in (0.5, -0.5, 0.1)])
    ends = find_range_ends(red)
    assert [int(ends.pinned[colour, 4, 4]) for colour in range(3)] == [1, -1, 0]


def test_what_is_held_is_put_at_its_end_and_the_rest_stays(random):
    signs = np.array([[[1, 0], [0, -1]]], np.int8)
    sr = random.uniform(-0.4, 0.4, (1, 6, 6)).astype(np.float32)
    before = sr.copy()
    pin_to_ends(sr, signs)
    assert (sr[0, :3, :3] == 0.5).all()
    assert (sr[0, 3:, 3:] == -0.5).all()
    np.testing.assert_array_equal(sr[0, :3, 3:], before[0, :3, 3:])


def test_corrections_move_nothing_away_from_its_end(random):
    signs = np.array([[[1, 0], [0, -1]]], np.int8)
    added = random.uniform(-0.1, 0.1, (1, 6, 6)).astype(np.float32)
    before = added.copy()
    block_inward_steps(added, signs)
    np.testing.assert_array_equal(added[0, :3, :3], np.maximum(before[0, :3, :3], 0))
    np.testing.assert_array_equal(added[0, 3:, 3:], np.minimum(before[0, 3:, 3:], 0))
    np.testing.assert_array_equal(added[0, 3:, :3], before[0, 3:, :3])
