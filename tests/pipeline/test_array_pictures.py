import numpy as np
import pytest

import clearzoom
from clearzoom.errors import InputError, SizeError


@pytest.fixture
def enlarge(small_weights):
    return lambda picture, **options: clearzoom.enlarge(picture, 2, str(small_weights), **options)


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_a_batch_is_its_pictures(enlarge, random, channels, dtype):
    batch = random.random((3, 9, 7, channels))
    batch = (batch * (1 if dtype == np.float32 else np.iinfo(dtype).max)).astype(dtype)
    larger = enlarge(batch)
    assert (larger.shape, larger.dtype) == ((3, 18, 14, channels), dtype)
    for picture, one in zip(batch, larger, strict=True):
        np.testing.assert_array_equal(one, enlarge(picture))


def test_three_axes_are_one_picture(enlarge, random):
    """Also where they could be four grey pictures of 3 px: nothing is guessed."""
    assert enlarge(np.zeros((4, 9, 3), np.uint8)).shape == (8, 18, 3)


@pytest.mark.parametrize(
    ("shape", "words"),
    [
        ((5, 9, 8), r"of grey pictures, give array\[\.\.\., None\]"),
        ((3, 9, 8), r"numpy\.moveaxis\(array, -3, -1\)"),
        ((2, 3, 9, 8), r"numpy\.moveaxis\(array, -3, -1\)"),
        ((2, 9, 8, 5), r"give \(H, W\), \(H, W, C\) or a batch \(N, H, W, C\)"),
        ((2, 2, 9, 8, 3), "is no picture"),
    ],
)
def test_axes_that_are_no_picture_s_are_refused_with_what_to_do(enlarge, shape, words):
    with pytest.raises(InputError, match=words):
        enlarge(np.zeros(shape, np.uint8))


def test_an_empty_batch_is_refused(enlarge):
    with pytest.raises(SizeError, match="has no picture"):
        enlarge(np.zeros((0, 9, 8, 3), np.uint8))


def test_a_batch_s_bad_picture_is_refused_before_any_work(enlarge):
    batch = np.zeros((2, 9, 8, 3), np.float32)
    batch[1, 0, 0, 0] = 1.5
    with pytest.raises(InputError, match=r"0\.\.1"):
        enlarge(batch, progress=lambda done, total: pytest.fail("it began"))


def test_a_torch_tensor_is_refused(enlarge):
    import torch

    with pytest.raises(InputError, match="cannot enlarge a Tensor; give a path"):
        enlarge(torch.zeros((9, 8, 3)))


def test_max_pixels_holds_for_arrays(enlarge):
    with pytest.raises(SizeError, match="`max_pixels`"):
        enlarge(np.zeros((9, 8), np.uint8), max_pixels=71)
    assert enlarge(np.zeros((9, 8), np.uint8), max_pixels=72).shape == (18, 16)


def test_a_memory_that_is_too_little_is_said_as_a_keyword(enlarge):
    with pytest.raises(SizeError, match="give `memory` "):
        enlarge(np.zeros((9, 8), np.uint8), memory="1MB")
