"""Tones: the part of a remainder that is broader than about 8 px, which no picture may lose."""

from functools import lru_cache

import numpy as np
import numpy.typing as npt

from clearzoom.core.remainder import Floats, along_rows

BOX_PX = 16
"""Of the squares whose mean is kept."""

REACH_PX = 16
"""What decides over a px lies so near: the Gaussians reach 11 px, a square 15."""

_BROAD_PX, _NARROW_PX = 4.0, 1.0
_REACH_OF_SIGMA = 2.7

_OFF = np.float32(0.4 / 255)
"""Of the range: so far off the mean of a square may stay; promised are 0.5 levels."""

_ROUNDS = 3


def broad_part(remainder: Floats) -> Floats:
    """Give what of a remainder is broad, along one axis at least.

    That is what a Gaussian of 4 px along one axis and 1 px along the other leaves of it; so of
    noise a fifth. Where the mean of a square of 16x16 px is off by more than 0.4 levels all the
    same, the square is lifted by the excess.

    Args:
        remainder: (C, H, W) float32, of a range of 1; mirrored at its borders.

    Returns:
        (C, H, W). Without it the mean of every square is within 0.5 of 255 levels: always where
        the remainder is noise of up to 7 levels; of stronger noise up to a tenth may stay.

    Example:
        >>> darker = np.full((1, 20, 30), 3 / 255, np.float32)
        >>> bool(np.allclose(broad_part(darker), 3 / 255))
        True
    """
    height, width = remainder.shape[1:]
    broad_rows = along_rows(_gaussian(height, _BROAD_PX), remainder)
    narrow_rows = along_rows(_gaussian(height, _NARROW_PX), remainder)
    # Both once, less what is in both.
    broad = _along_columns(_gaussian(width, _BROAD_PX), narrow_rows - broad_rows)
    broad += _along_columns(_gaussian(width, _NARROW_PX), broad_rows)
    for _ in range(_ROUNDS):
        off = _means(remainder - broad)
        excess = off - np.clip(off, -_OFF, _OFF)
        if not excess.any():
            break
        broad += _lifted(excess, height, width)
    return broad


def _along_columns(matrix: Floats, image: Floats) -> Floats:
    return along_rows(matrix, image.swapaxes(1, 2)).swapaxes(1, 2)


def _means(image: Floats) -> Floats:
    """Of all squares inside: (C, H - 15, W - 15); of a smaller picture those of its whole side."""
    height, width = image.shape[1:]
    return _along_columns(_box(width), along_rows(_box(height), image))


def _lifted(excess: Floats, height: int, width: int) -> Floats:
    """For each px the most that a square that holds it is off by, up and down."""
    lifted = np.zeros((len(excess), height, width), np.float32)
    for sign in (1, -1):
        most = np.maximum(sign * excess, 0)
        if most.any():
            lifted += sign * _most_along(_most_along(most, 1, height), 2, width)
    return lifted


def _most_along(excess: npt.NDArray[np.float32], axis: int, length: int) -> Floats:
    box = min(BOX_PX, length)
    padding = [(0, 0)] * 3
    padding[axis] = box - 1, box - 1
    most = np.moveaxis(np.pad(excess, padding), axis, 0)
    reach = 1
    while reach < box:  # the maximum of twice as many px each time
        step = min(reach, box - reach)
        most = np.maximum(most[:-step], most[step:])
        reach += step
    return np.moveaxis(most, 0, axis)


@lru_cache(maxsize=16)
def _gaussian(length_px: int, sigma_px: float) -> Floats:
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
def _box(length_px: int) -> Floats:
    box = min(BOX_PX, length_px)
    at, square = np.arange(length_px), np.arange(length_px - box + 1)[:, None]
    return (((at >= square) & (at < square + box)) / box).astype(np.float32)
