import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clearzoom.core.resize import enlarge_bicubic, reduce_for_protocol, resize, resize_matrix
from clearzoom.errors import SizeError


def keys(x):
    x = abs(x)
    if x <= 1:
        return 1.5 * x**3 - 2.5 * x**2 + 1
    if x < 2:
        return -0.5 * x**3 + 2.5 * x**2 - 4 * x + 2
    return 0.0


def reduced_slowly(line, output):
    """Independent of the product: one output at a time, in MATLAB's own 1-based coordinates.

    Of many lines at once, where ``line`` is a matrix with one in each column.
    """
    scale = output / len(line)
    stretch = min(scale, 1)
    result = []
    for x in range(1, output + 1):
        u = x / scale + 0.5 * (1 - 1 / scale)
        total = weight_sum = 0.0
        for j in range(math.floor(u - 2 / stretch) - 1, math.ceil(u + 2 / stretch) + 2):
            weight = stretch * keys(stretch * (u - j))
            index = (j - 1) % (2 * len(line))
            index = index if index < len(line) else 2 * len(line) - 1 - index
            total += weight * line[index]
            weight_sum += weight
        result.append(total / weight_sum)
    return result


@given(st.integers(1, 40), st.integers(1, 40), st.integers(0, 2**32 - 1))
def test_agrees_with_an_independent_implementation(before, after, seed):
    line = np.random.default_rng(seed).uniform(0, 255, before)
    np.testing.assert_allclose(
        resize_matrix(before, after) @ line, reduced_slowly(line, after), atol=1e-9
    )


@given(st.integers(1, 30), st.integers(1, 30), st.sampled_from(["bicubic", "linear"]))
def test_flat_fields_stay_flat_and_matrix_equals_taps(before, after, kernel):
    matrix = resize_matrix(before, after, kernel)
    np.testing.assert_allclose(matrix.sum(axis=1), 1)
    picture = np.random.default_rng(before).uniform(0, 255, (before, 5, 3))
    expected = np.einsum("ij,jkc->ikc", matrix, picture)
    np.testing.assert_allclose(resize(picture, after, 5, kernel), expected, atol=1e-9)


def test_known_answers():
    # a = -0.5, one LR pixel between four: (-1 9 9 -1) / 16 at the half.
    assert resize_matrix(4, 8)[3] * 128 == pytest.approx([-9, 111, 29, -3])
    # Halved, the kernel is twice as wide; its tap before the border falls on the first pixel.
    assert resize_matrix(8, 4)[1] * 256 == pytest.approx([-12, 29, 111, 111, 29, -9, -3, 0])


def test_protocol_lr_is_at_most_a_level_off_an_independent_one(photo):
    hr = photo[:300, :448]
    rows, columns = (np.array(reduced_slowly(np.eye(side), side // 4)) for side in (300, 448))
    theirs = np.clip(np.einsum("ih,hwc,jw->ijc", rows, hr, columns, optimize=True), 0, 255) + 0.5
    difference = np.abs(reduce_for_protocol(hr, 4).astype(int) - theirs.astype(int))
    assert difference.max() <= 1
    assert (difference > 0).mean() <= 0.001


def test_pillow_agrees_away_from_the_border(photo):
    from PIL import Image

    # Pillow drops taps outside the picture where MATLAB mirrors; in float mode it does not round.
    green = Image.fromarray(photo[:300, :448, 1].astype(np.float32))
    theirs = np.asarray(green.resize((112, 75), Image.Resampling.BICUBIC))
    ours = resize(photo[:300, :448, 1], 75, 112)
    np.testing.assert_allclose(ours[3:-3, 3:-3], theirs[3:-3, 3:-3], atol=1e-3)


def test_enlarging_shapes_and_grey():
    assert enlarge_bicubic(np.full((3, 5), 77, np.uint8), 4).tolist() == [[77] * 20] * 12


def test_refuses_what_is_no_multiple():
    with pytest.raises(SizeError, match="multiple of 4"):
        reduce_for_protocol(np.zeros((9, 8, 3), np.uint8), 4)
    with pytest.raises(SizeError):
        resize_matrix(0, 4)
