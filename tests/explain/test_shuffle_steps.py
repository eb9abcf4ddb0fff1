import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from clearzoom.errors import SizeError
from clearzoom.explain.shuffle_steps import pixel_shuffle_steps


@given(st.integers(1, 5), st.integers(1, 6), st.integers(1, 6), st.integers(1, 4))
def test_equals_torch(channels, height, width, factor):
    shape = (channels * factor**2, height, width)
    features = np.arange(np.prod(shape), dtype=np.float32).reshape(shape)
    expected = torch.nn.functional.pixel_shuffle(torch.from_numpy(features), factor).numpy()
    np.testing.assert_array_equal(pixel_shuffle_steps(features, factor)[-1], expected)


def test_refuses_channels_that_do_not_divide():
    with pytest.raises(SizeError):
        pixel_shuffle_steps(np.zeros((6, 2, 2)), 2)
