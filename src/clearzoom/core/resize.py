"""Resampling as in MATLAB's ``imresize``: the measuring protocol's bicubic, and linear.

One axis is resampled by a few weighted taps for each output; training uses the same taps in torch,
as a matrix (outputs x inputs).

References:
    R. Keys, "Cubic convolution interpolation for digital image processing", 1981 (a = -0.5).
"""

from collections.abc import Callable
from functools import lru_cache
from typing import Literal

import numpy as np
import numpy.typing as npt

from clearzoom.core.arrays import Float64Array, Levels
from clearzoom.errors import SizeError

Kernel = Literal["bicubic", "linear"]

BICUBIC_REACH_PX = 3
"""How far from its own place an enlarged px reads LR px: the kernel's 2 px, and the half between
the two grids rounded up."""


def _cubic(x: Float64Array) -> Float64Array:
    a = -0.5
    x = np.abs(x)
    near = ((a + 2) * x - (a + 3)) * x**2 + 1
    far = ((a * x - 5 * a) * x + 8 * a) * x - 4 * a
    return np.where(x <= 1, near, np.where(x < 2, far, 0.0))


def _triangle(x: Float64Array) -> Float64Array:
    return np.maximum(0.0, 1.0 - np.abs(x))


_KERNELS: dict[Kernel, tuple[Callable[[Float64Array], Float64Array], float]] = {
    "bicubic": (_cubic, 4.0),
    "linear": (_triangle, 2.0),
}


@lru_cache(maxsize=64)
def _taps(
    input_px: int, output_px: int, kernel: Kernel
) -> tuple[npt.NDArray[np.int64], Float64Array]:
    """Compute the source index and the weight of each tap: two (output_px, taps) arrays."""
    if input_px < 1 or output_px < 1:
        raise SizeError(f"cannot resize an axis of {input_px} px to {output_px} px; give >= 1")
    function, width = _KERNELS[kernel]
    scale = output_px / input_px
    shrink = min(scale, 1.0)
    support = width / shrink
    centre = (np.arange(output_px) + 0.5) / scale - 0.5
    left = np.floor(centre - support / 2).astype(np.int64) + 1
    positions = left[:, None] + np.arange(int(np.ceil(support)))
    weights = function(shrink * (centre[:, None] - positions))
    weights /= weights.sum(axis=1, keepdims=True)
    mirrored = np.concatenate([np.arange(input_px), np.arange(input_px)[::-1]])
    return mirrored[positions % (2 * input_px)], weights


def resize_matrix(input_px: int, output_px: int, kernel: Kernel = "bicubic") -> Float64Array:
    """Build the matrix that resamples one axis as MATLAB's ``imresize`` does.

    Sample centres are at half px, borders are mirrored with the edge sample repeated, and the
    kernel is widened by the reduction when output_px < input_px (antialiasing).

    Args:
        input_px: the length of the axis before, >= 1.
        output_px: its length after, >= 1.
        kernel: "bicubic" (Keys, a = -0.5) or "linear".

    Returns:
        (output_px, input_px) float64; each row sums to 1.

    Raises:
        SizeError: a length is below 1.

    Example:
        >>> resize_matrix(2, 4, "linear")[1].tolist()
        [0.75, 0.25]
    """
    source, weights = _taps(input_px, output_px, kernel)
    matrix = np.zeros((output_px, input_px))
    np.add.at(matrix, (np.arange(output_px)[:, None], source), weights)
    return matrix


def _resize_rows(image: Float64Array, output_px: int, kernel: Kernel) -> Float64Array:
    source, weights = _taps(image.shape[0], output_px, kernel)
    result = np.zeros((output_px, *image.shape[1:]))
    over_columns = (slice(None),) + (None,) * (image.ndim - 1)
    for index, weight in zip(source.T, weights.T, strict=True):
        result += weight[over_columns] * image[index]
    return result


def resize(
    image: npt.NDArray[np.generic], height_px: int, width_px: int, kernel: Kernel = "bicubic"
) -> Float64Array:
    """Resize a picture without rounding or clipping.

    Args:
        image: (H, W) or (H, W, C), any real dtype and range.
        height_px: the rows of the result.
        width_px: the columns of the result.
        kernel: "bicubic" or "linear".

    Returns:
        (height_px, width_px[, C]) float64; bicubic may overshoot the input's range.

    Raises:
        SizeError: a length is below 1.
    """
    tall = _resize_rows(image.astype(np.float64), height_px, kernel)
    return _resize_rows(tall.swapaxes(0, 1), width_px, kernel).swapaxes(0, 1)


def to_uint8(values: npt.NDArray[np.floating]) -> Levels:
    """Round half up and clip to 0..255, as MATLAB's ``uint8()`` does.

    Args:
        values: levels of any shape; what is outside 0..255 is clipped.

    Returns:
        uint8 of the same shape.
    """
    levels: Levels = np.floor(np.clip(values, 0.0, 255.0) + 0.5).astype(np.uint8)
    return levels


def reduce_for_protocol(hr: Levels, scale: int) -> Levels:
    """Compute the low-resolution picture of the measuring protocol.

    Args:
        hr: (H, W[, C]) uint8, H and W multiples of scale.
        scale: the reduction, >= 1.

    Returns:
        (H / scale, W / scale[, C]) uint8.

    Raises:
        SizeError: H or W is no multiple of scale.
    """
    height, width = hr.shape[:2]
    if height % scale or width % scale:
        raise SizeError(f"{width}x{height} px is no multiple of {scale}; crop it first")
    return to_uint8(resize(hr, height // scale, width // scale))


def enlarge_bicubic(lr: Levels, scale: int) -> Levels:
    """Enlarge by the protocol's bicubic, the baseline of every table.

    Args:
        lr: (H, W[, C]) uint8.
        scale: the enlargement, >= 1.

    Returns:
        (H * scale, W * scale[, C]) uint8.
    """
    return to_uint8(resize(lr, lr.shape[0] * scale, lr.shape[1] * scale))
