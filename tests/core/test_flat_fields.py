import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from clearzoom.core.flat_fields import flat_fields


@given(st.integers(0, 2**32 - 1), st.integers(1, 14), st.integers(1, 14))
def test_it_is_what_looking_at_each_square_gives(seed, height, width):
    random = np.random.default_rng(seed)
    levels = np.full((height, width, 3), 7, np.uint8)
    for _ in range(random.integers(3)):
        levels[random.integers(height), random.integers(width), random.integers(3)] = 9
    expected = np.empty((height, width), bool)
    for row in range(height):
        for column in range(width):
            square = levels[max(0, row - 3) : row + 4, max(0, column - 3) : column + 4]
            expected[row, column] = (square == square[0, 0]).all()
    np.testing.assert_array_equal(flat_fields(levels), expected)
