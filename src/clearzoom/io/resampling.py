"""Resize a picture as cameras, web sites and programs do, with and without antialiasing.

Pixel centres are at half px in the picture before and after, so nothing shifts.
"""

from collections.abc import Callable
from typing import Any, Literal, get_args

import numpy as np
import numpy.typing as npt
import pyvips

from clearzoom.core.arrays import Levels, Tensor
from clearzoom.errors import SizeError

Antialiased = Literal["box", "linear", "cubic", "mitchell", "lanczos2", "lanczos3"]
"""Each new px is a mean over all old px that it covers, weighted by a kernel."""
Points = Literal["nearest", "bilinear", "bicubic"]
"""Each new px is computed from the 1, 4 or 16 old px nearest to its centre, as in OpenCV's
``resize``: fine detail causes aliasing."""
Method = Antialiased | Points

_SHARPNESS = -0.75  # the parameter ``a`` of Keys' bicubic kernel in OpenCV


def resized(
    picture: Levels, height_px: int, width_px: int, method: Method, *, later: bool = False
) -> Levels:
    """Resize to any size; a side may grow while the other shrinks.

    Args:
        picture: (H, W, 3) uint8.
        height_px: the rows of the result, >= 1.
        width_px: the columns of the result, >= 1.
        method: an antialiased method, or points; they differ little on a side that grows.
        later: for "nearest", whether the second of two equally near px is taken, as at even
            factors. The picture then shifts half a px to the left, otherwise half a px to the
            right; neither choice is centred.

    Returns:
        (height_px, width_px, 3) uint8.

    Raises:
        SizeError: a side is below 1 px.

    Example:
        >>> ramp = np.arange(0, 160, 10, dtype=np.uint8).reshape(1, 16, 1).repeat(3, 2)
        >>> resized(ramp, 1, 4, "bilinear")[0, :, 0].tolist()
        [15, 55, 95, 135]
    """
    if min(height_px, width_px) < 1:
        raise SizeError(f"cannot resize a picture to {width_px}x{height_px} px; give >= 1")
    if picture.shape[:2] == (height_px, width_px):
        return picture
    if method not in get_args(Points):
        shrunk = min(height_px, picture.shape[0]), min(width_px, picture.shape[1])
        picture = _shrunk(picture, *shrunk, method)
        # Sides that grow need no antialiasing.
        method = "bilinear" if method in ("box", "linear") else "bicubic"
    return _both(picture, height_px, width_px, lambda rows, px: _sampled(rows, px, method, later))


def _shrunk(picture: Levels, height_px: int, width_px: int, method: Method) -> Levels:
    height, width = picture.shape[:2]
    if (height, width) == (height_px, width_px):
        return picture
    if method != "box":
        image = pyvips.Image.new_from_array(np.ascontiguousarray(picture))
        pixels: Levels = image.resize(
            width_px / width, vscale=height_px / height, kernel=method
        ).numpy()
        return pixels
    if height % height_px or width % width_px:
        return _both(picture, height_px, width_px, _averaged)
    down, across = height // height_px, width // width_px
    sums = np.zeros((height_px, width_px, 3), np.uint32)
    for y in range(down):
        for x in range(across):
            sums += picture[y::down, x::across]
    means: Levels = ((2 * sums + down * across) // (2 * down * across)).astype(np.uint8)
    return means


def _both(
    picture: Levels, height_px: int, width_px: int, along: Callable[[Any, int], Any]
) -> Levels:
    """Resize the rows, then the columns, and round once."""
    tall = picture if picture.shape[0] == height_px else along(picture, height_px)
    if picture.shape[1] != width_px:
        tall = along(tall.swapaxes(0, 1), width_px).swapaxes(0, 1)
    if tall.dtype != np.uint8:
        tall = np.clip(tall, 0, 255) + np.float32(0.5)
    return np.ascontiguousarray(tall.astype(np.uint8))  # Truncating after + 0.5 rounds half up.


def _sampled(
    rows: npt.NDArray[Any], output_px: int, method: Method, later: bool
) -> npt.NDArray[Any]:
    """Resize the first axis from the px nearest to each centre."""
    input_px = rows.shape[0]
    doubled = (2 * np.arange(output_px) + 1) * input_px  # Integers keep ties exact.
    if method == "nearest":
        index = doubled if later else doubled - 1
        nearest: npt.NDArray[Any] = rows[index // (2 * output_px)]
        return nearest
    centre = doubled / (2 * output_px) - 0.5
    first = np.floor(centre)
    part = (centre - first).astype(np.float32)
    weights = {-1: _cubic(1 + part), 0: _cubic(part), 1: _cubic(1 - part), 2: _cubic(2 - part)}
    if method == "bilinear":
        weights = {0: 1 - part, 1: part}
    over_columns = (slice(None),) + (None,) * (rows.ndim - 1)
    result = np.zeros((output_px, *rows.shape[1:]), np.float32)
    for step, weight in weights.items():
        index = (first.astype(np.int64) + step).clip(0, input_px - 1)
        result += weight[over_columns] * rows[index]
    return result


def _cubic(distance: Tensor) -> Tensor:
    a = np.float32(_SHARPNESS)
    near = ((a + 2) * distance - (a + 3)) * distance**2 + 1
    far = ((a * distance - 5 * a) * distance + 8 * a) * distance - 4 * a
    return np.where(distance <= 1, near, far)


def _averaged(rows: npt.NDArray[Any], output_px: int) -> npt.NDArray[Any]:
    """Resize the first axis by the mean over the interval that each new px covers."""
    input_px = rows.shape[0]
    sums = np.zeros((input_px + 1, *rows.shape[1:]), np.float64)
    np.cumsum(np.ascontiguousarray(rows, np.float64), 0, out=sums[1:])
    edges = np.arange(output_px + 1) * (input_px / output_px)
    whole = np.floor(edges).astype(np.int64).clip(0, input_px)
    over_columns = (slice(None),) + (None,) * (rows.ndim - 1)
    part = (edges - whole)[over_columns]
    below = sums[whole] + part * (sums[(whole + 1).clip(0, input_px)] - sums[whole])
    means: npt.NDArray[Any] = np.diff(below, axis=0) * (output_px / input_px)
    return means
