import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from clearzoom.core.blending import Ramp


@given(
    st.integers(0, 50),
    st.integers(1, 40),
    st.integers(0, 60),
    st.integers(1, 60),
    st.integers(2, 8),
)
def test_a_rising_and_a_falling_ramp_add_up_to_one(start, length, first, count, scale):
    rising = Ramp(start, length).weights(first, first + count, scale)
    falling = Ramp(start, length, falls=True).weights(first, first + count, scale)
    np.testing.assert_allclose(rising + falling, 1, atol=1e-6)
    assert (np.diff(rising) >= 0).all()


def test_weights_do_not_depend_on_the_stretch_that_is_asked_for():
    whole = Ramp(8, 16).weights(0, 40, 4)
    np.testing.assert_array_equal(Ramp(8, 16).weights(10, 20, 4), whole[40:80])


def test_without_length_a_weight_is_one():
    assert Ramp(5, 0).weights(0, 3, 2).tolist() == [1] * 6
