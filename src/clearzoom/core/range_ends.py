"""Pure white and pure black: an enlarged drawing keeps them exact right up to its lines.

Beside an edge the protocol's reduction overshoots, and whatever leaves the range of levels is
clipped. So an LR px at an end of the range means that nothing is drawn in its cell: in drawn
pictures this holds for 9,999 of 10,000 such px.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from clearzoom.core.arrays import Tensor
from clearzoom.core.back_projection import along_rows

Signs = npt.NDArray[np.int8]

# All are fractions of the range of levels.
_TOLERANCE = np.float32(0.02 / 255)  # float rounding: up to here a px is exactly at the end
_FAINT = np.float32(6.5 / 255)  # as far as a line darkens a px whose cell it does not enter
_CLOSE = np.float32(12.5 / 255)
_INK = np.float32(24 / 255)
_FEW = np.float32(3)
"""In a drawing with sharp edges, each px that is close to an end has more than this many px
exactly at the end around it."""

REACH_PX = 4
"""The px up to this distance decide about a px; no tile may have a smaller halo."""


@dataclass(frozen=True)
class RangeEnds:
    """Where a picture is at the ends of its range: 1 at the upper, -1 at the lower, 0 elsewhere.

    ``pinned``: (C, H, W), LR px whose enlargement is set to that end, whatever the network gives.
    ``bounded``: the pinned px and all others exactly at an end: a correction must not move their
    enlargement away from it.
    """

    pinned: Signs
    bounded: Signs


def find_range_ends(lr: Tensor) -> RangeEnds | None:
    """Find the px at the ends of the range.

    A px at an end is pinned if, in at least one colour, most px within 4 px that are close to the
    end are exactly at it. Noise spreads px around the end, so noisy px are pinned only where their
    true value is at the end too. Px within 6 levels of the end are pinned as well if they touch a
    px that differs much and are few.

    Args:
        lr: (C, H, W) float32 in -0.5..0.5.

    Returns:
        The px at the ends, or None if no px is exactly at an end.

    Example:
        >>> page = np.full((1, 9, 9), 0.5, np.float32)
        >>> page[0, 4, 4] = -0.1
        >>> ends = find_range_ends(page)
        >>> int(ends.pinned.sum()), int(ends.pinned[0, 4, 4])
        (80, 0)
    """
    pinned, bounded = np.zeros(lr.shape, np.int8), np.zeros(lr.shape, np.int8)
    for sign in (1, -1):
        distance = np.float32(0.5) - sign * lr
        exact = distance <= _TOLERANCE
        if not exact.any():
            continue
        close = (distance <= _CLOSE) & ~exact
        balance = exact.astype(np.float32) - close
        drawn = (_sums_around(balance, REACH_PX) > 0).any(axis=0)  # one colour suffices
        pinned[drawn & exact] = sign
        if (faint := drawn & ~exact & (distance <= _FAINT)).any():
            few = (_sums_around(exact - _FEW * close, REACH_PX) > 0).any(axis=0)
            pinned[faint & few & (_sums_around(distance > _INK, 1) > 0)] = sign
        bounded[exact] = sign
    bounded += pinned * (bounded == 0)
    return RangeEnds(pinned, bounded) if bounded.any() else None


def pin_to_ends(sr: Tensor, pinned: Signs) -> None:
    """Set the enlargement of each pinned px to its end of the range.

    Args:
        sr: (C, scale * H, scale * W) float32 in -0.5..0.5; it is changed in place.
        pinned: (C, H, W), of the LR picture.
    """
    cells = _cells(sr, pinned)
    for sign in (1, -1):
        if (at_end := pinned == sign).any():
            np.copyto(cells, np.float32(0.5 * sign), where=at_end[:, :, None, :, None])


def block_inward_steps(correction: Tensor, bounded: Signs) -> None:
    """Remove from a correction what would move px away from the end of the range they are at.

    Args:
        correction: (C, scale * H, scale * W) float32, to be added to the SR picture; it is changed
            in place.
        bounded: (C, H, W), of the LR picture.
    """
    cells = _cells(correction, bounded)
    zero = np.float32(0)
    for sign, limit in ((1, np.maximum), (-1, np.minimum)):
        if (at_end := bounded == sign).any():
            limit(cells, zero, out=cells, where=at_end[:, :, None, :, None])


def _cells(sr: Tensor, signs: Signs) -> Tensor:
    """View the SR px by LR px: (C, H, scale, W, scale)."""
    colours, height, width = signs.shape
    scale = sr.shape[1] // height
    cells: Tensor = sr.reshape(colours, height, scale, width, scale)
    return cells


def _sums_around(counts: Tensor | npt.NDArray[np.bool_], radius_px: int) -> Tensor:
    """Sum over the square around each px; px outside the picture count as zero."""
    vertical, horizontal = (_square(length, radius_px) for length in counts.shape[1:])
    sums = along_rows(vertical, counts.astype(np.float32))
    return along_rows(horizontal, sums.swapaxes(1, 2)).swapaxes(1, 2)


@lru_cache(maxsize=16)
def _square(length_px: int, radius_px: int) -> Tensor:
    at = np.arange(length_px)
    square: Tensor = (np.abs(at[:, None] - at) <= radius_px).astype(np.float32)
    return square
