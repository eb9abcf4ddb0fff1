"""Pixel shuffle, step by step, as the course chapter draws it."""

from typing import Any

import numpy.typing as npt

from clearzoom.errors import SizeError


def pixel_shuffle_steps(features: npt.NDArray[Any], factor: int) -> list[npt.NDArray[Any]]:
    """Rearrange channels into pixels and return each intermediate array.

    Args:
        features: (C * factor^2, H, W), any dtype.
        factor: r >= 1, the enlargement.

    Returns:
        Five arrays: (C * r^2, H, W), the input; (C, r, r, H, W), channels split; (C, H, W, r, r),
        the small square of each pixel last; (C, H * r, W, r), rows interleaved; (C, H * r, W * r),
        columns interleaved: the result.

    Raises:
        SizeError: the channels are no multiple of factor^2, or factor < 1.

    References:
        Shi et al., arXiv:1609.05158, eq. 4; torch.nn.functional.pixel_shuffle.

    Example:
        >>> import numpy as np
        >>> for step in pixel_shuffle_steps(np.zeros((64, 128, 128)), 2):
        ...     print(step.shape)
        (64, 128, 128)
        (16, 2, 2, 128, 128)
        (16, 128, 128, 2, 2)
        (16, 256, 128, 2)
        (16, 256, 256)
    """
    channels, height, width = features.shape
    if factor < 1 or channels % factor**2:
        raise SizeError(f"{channels} channels cannot be shuffled by {factor}; need {factor}^2 each")
    split = features.reshape(channels // factor**2, factor, factor, height, width)
    squares = split.transpose(0, 3, 4, 1, 2)
    rows = squares.transpose(0, 1, 3, 2, 4).reshape(-1, height * factor, width, factor)
    result = rows.reshape(-1, height * factor, width * factor)
    return [features, split, squares, rows, result]
