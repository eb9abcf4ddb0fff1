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

    with pytest.raises(InputError, match=r"Tensor; give tensor\.movedim"):
        enlarge(torch.zeros((9, 8, 3)))


def test_max_pixels_holds_for_arrays(enlarge):
    with pytest.raises(SizeError, match="`max_pixels`"):
        enlarge(np.zeros((9, 8), np.uint8), max_pixels=71)
    assert enlarge(np.zeros((9, 8), np.uint8), max_pixels=72).shape == (18, 16)


def test_a_memory_that_is_too_little_is_said_as_a_keyword(enlarge):
    with pytest.raises(SizeError, match="give `memory` "):
        enlarge(np.zeros((9, 8), np.uint8), memory="1MB")


@pytest.mark.parametrize(
    ("array", "words"),
    [
        (
            np.full((4, 4), 200, np.float32),
            r"not in 0\.\.200; where white is 255, give array / 255",
        ),
        (np.float32([[-1, 1]]), r"not in -1\.\.1; where black is -1, give \(array \+ 1\) / 2"),
        (np.array([[0, 1.0000001]]), r"not in 0\.\.1\.0000001; give array\.clip\(0, 1\)"),
        (np.float32([[0, np.nan]]), r"without NaN, not in nan\.\.nan$"),
        (np.float32([[-3, 9]]), r"not in -3\.\.9$"),
        (np.zeros((4, 4), bool), r"bool samples; give array \* numpy\.uint8\(255\)"),
        (
            np.zeros((4, 4), int),
            r"int64 samples; give uint8 \(0\.\.255\), uint16 \(0\.\.65535\) or",
        ),
        (np.ma.masked_all((4, 4), np.uint8), r"give array\.filled\(0\)"),
    ],
)
def test_levels_that_are_no_picture_s_are_said_with_what_to_do(enlarge, array, words):
    with pytest.raises(InputError, match=words):
        enlarge(array)


def test_what_the_errors_tell_to_give_is_right(enlarge):
    levels = np.full((4, 5), 200, np.float32)
    bits = np.eye(4, dtype=bool)
    for right in (levels / 255, (levels / 127.5 - 1 + 1) / 2, np.float32([[0, 1.0001]]).clip(0, 1)):
        assert enlarge(right).dtype == np.float32
    assert enlarge(bits * np.uint8(255)).max() == 255
