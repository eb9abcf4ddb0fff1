"""The low frequencies of a residual: colours and brightness, which no enlarged picture may lose.

They are what is broader than about 8 px; noise and the faults of compression are narrower.
"""

from functools import lru_cache

import numpy as np

from clearzoom.core.arrays import Tensor
from clearzoom.core.back_projection import along_rows

BOX_PX = 16
"""The side of the squares whose mean is preserved."""

REACH_PX = 16
"""The px up to this distance decide about a px: the Gaussians reach 11 px, a square 15."""

_BROAD_PX, _NARROW_PX = 4.0, 1.0
_REACH_OF_SIGMA = 2.7

_TOLERANCE = np.float32(0.4 / 255)
"""The mean of a square may be off by this fraction of the range; 0.5 levels are guaranteed."""

_ROUNDS = 3


def low_frequency_part(residual: Tensor) -> Tensor:
    """Extract what is broad along at least one axis.

    The filter is a Gaussian with a sigma of 4 px along one axis and 1 px along the other, in both
    directions; a fifth of white noise passes. Wherever the mean of a square of 16x16 px is still
    off by more than 0.4 levels, the excess is added to the whole square.

    Args:
        residual: (C, H, W) float32, in a range of 1; its borders are mirrored.

    Returns:
        (C, H, W) float32. When it is subtracted, the mean of every square is within 0.5 of 255
        levels: always for noise of up to 7 levels; stronger noise may leave up to a tenth of it.

    Example:
        >>> darker = np.full((1, 20, 30), 3 / 255, np.float32)
        >>> bool(np.allclose(low_frequency_part(darker), 3 / 255))
        True
    """
    height, width = residual.shape[1:]
    broad_rows = along_rows(_gaussian(height, _BROAD_PX), residual)
    narrow_rows = along_rows(_gaussian(height, _NARROW_PX), residual)
    # Inclusion and exclusion: broad down plus broad across, minus what passes both filters. The
    # sum (broad across of narrow - broad) + (narrow across of broad) needs two products, not three.
    broad = _along_columns(_gaussian(width, _BROAD_PX), narrow_rows - broad_rows)
    broad += _along_columns(_gaussian(width, _NARROW_PX), broad_rows)
    for _ in range(_ROUNDS):
        offsets = _means(residual - broad)
        excess = offsets - np.clip(offsets, -_TOLERANCE, _TOLERANCE)
        if not excess.any():
            break
        broad += _spread_over_squares(excess, height, width)
    return broad


def _along_columns(matrix: Tensor, image: Tensor) -> Tensor:
    return along_rows(matrix, image.swapaxes(1, 2)).swapaxes(1, 2)


def _means(image: Tensor) -> Tensor:
    """Average every square inside: (C, H - 15, W - 15); a smaller side is averaged whole."""
    height, width = image.shape[1:]
    return _along_columns(_box(width), along_rows(_box(height), image))


def _spread_over_squares(excess: Tensor, height: int, width: int) -> Tensor:
    """Give each px the largest excess, up and down, of the squares that contain it."""
    result = np.zeros((len(excess), height, width), np.float32)
    for sign in (1, -1):
        most = np.maximum(sign * excess, 0)
        if most.any():
            result += sign * _maximum_along(_maximum_along(most, 1, height), 2, width)
    return result


def _maximum_along(excess: Tensor, axis: int, length: int) -> Tensor:
    """Compute a running maximum over the squares that contain each px, along one axis."""
    box = min(BOX_PX, length)
    padding = [(0, 0)] * 3
    padding[axis] = box - 1, box - 1
    most = np.moveaxis(np.pad(excess, padding), axis, 0)
    reach = 1
    while reach < box:  # Each step takes the maximum over up to twice as many px.
        step = min(reach, box - reach)
        most = np.maximum(most[:-step], most[step:])
        reach += step
    return np.moveaxis(most, 0, axis)


@lru_cache(maxsize=16)
def _gaussian(length_px: int, sigma_px: float) -> Tensor:
    radius = int(np.ceil(_REACH_OF_SIGMA * sigma_px))
    taps = np.arange(-radius, radius + 1)
    weights = np.exp(-(taps**2) / (2 * sigma_px**2))
    matrix = np.zeros((length_px, length_px))
    rows = np.arange(length_px)
    for tap, weight in zip(taps, weights / weights.sum(), strict=True):
        mirrored = (rows + tap) % (2 * length_px)
        matrix[rows, np.minimum(mirrored, 2 * length_px - 1 - mirrored)] += weight
    return matrix.astype(np.float32)


@lru_cache(maxsize=8)
def _box(length_px: int) -> Tensor:
    box = min(BOX_PX, length_px)
    at, square = np.arange(length_px), np.arange(length_px - box + 1)[:, None]
    return (((at >= square) & (at < square + box)) / box).astype(np.float32)
