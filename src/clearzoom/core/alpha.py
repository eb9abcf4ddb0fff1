"""Colour under transparency: what a network sees there must not bleed into the visible edge."""

import numpy as np
import numpy.typing as npt

_RADII_PX = (1, 2, 4, 8, 16, 32)

REACH_PX = _RADII_PX[-1]
"""How far visible colour is carried."""


def _box_sum(values: npt.NDArray[np.int64], radius: int) -> npt.NDArray[np.int64]:
    """Sum over (2 radius + 1)² px around each; beyond the border there is nothing."""
    for axis in (0, 1):
        length = values.shape[axis]
        before = np.zeros_like(values.take([0], axis))
        sums = np.concatenate([before, np.cumsum(values, axis)], axis)
        at = np.arange(length)
        last, first = np.minimum(at + radius + 1, length), np.maximum(at - radius, 0)
        values = sums.take(last, axis) - sums.take(first, axis)
    return values


def fill_transparent(
    colour: npt.NDArray[np.unsignedinteger], alpha: npt.NDArray[np.unsignedinteger]
) -> npt.NDArray[np.unsignedinteger]:
    """Replace colour where alpha is 0 by the alpha-weighted mean of what is visible near it.

    The mean is over the smallest square of 3, 5, 9, 17, 33 or 65 px that sees anything, in whole
    numbers, so a part of a picture is filled as the whole is. Visible pixels, and hidden ones
    further away, keep their colour.

    Args:
        colour: (H, W, C) uint8 or uint16, straight (not premultiplied).
        alpha: (H, W), same dtype, 0 = transparent.

    Returns:
        (H, W, C), same dtype.
    """
    left = alpha == 0
    if not left.any() or left.all():
        return colour
    weight = alpha.astype(np.int64)[..., None]
    weighted = colour * weight
    filled = colour.copy()
    for radius in _RADII_PX:
        near = _box_sum(weight, radius)
        found = left & (near[..., 0] > 0)
        if found.any():
            mean = (_box_sum(weighted, radius)[found] + near[found] // 2) // near[found]
            filled[found] = mean.astype(colour.dtype)
            left &= ~found
        if not left.any():
            break
    return filled
