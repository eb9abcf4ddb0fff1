"""The ends of the range: drawn white stays white, and black black, close to what is drawn on it.

Beside an edge the reduction overshoots, and what leaves the range is clipped. So an LR px at the
end of the range says that nothing is drawn in it: in drawn pictures that is so in 9,999 of 10,000.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from clearzoom.core.remainder import Floats, along_rows

Signs = npt.NDArray[np.int8]

_TOLERANCE = np.float32(0.02 / 255)
_FAINT = np.float32(6.5 / 255)
"""Of the range: so much do lines darken a px whose cell they do not enter."""
_CLOSE = np.float32(12.5 / 255)
_INK = np.float32(24 / 255)
_FEW = np.float32(3)
"""So many px at an end for each that is only close to it: drawn with sharp edges."""

REACH_PX = 4
"""Around a px, that decide over it; no halo of a tile may be less."""


@dataclass(frozen=True)
class Ends:
    """Where a picture lies at the ends of the range: 1 at the upper, -1 at the lower, 0 elsewhere.

    ``held``: (C, H, W) LR px whose enlargement lies there too, whatever a network makes of it.
    ``kept``: these, and all others that are exactly there: they are not moved inwards.
    """

    held: Signs
    kept: Signs


def ends_of(lr: Floats) -> Ends | None:
    """Find the px at the ends of the range.

    Held are those where most px within 4 px that are close to an end are exactly at it, in one
    colour at least; where noise has spread them that is so only if the truth lies at the end too.
    Beside a px that differs much, those within 6 levels are held with them, where they are few.

    Args:
        lr: (C, H, W) float32 in -0.5..0.5.

    Returns:
        None where no px is exactly at an end.

    Example:
        >>> page = np.full((1, 9, 9), 0.5, np.float32)
        >>> page[0, 4, 4] = -0.1
        >>> ends = ends_of(page)
        >>> int(ends.held.sum()), int(ends.held[0, 4, 4])
        (80, 0)
    """
    held, kept = np.zeros(lr.shape, np.int8), np.zeros(lr.shape, np.int8)
    for sign in (1, -1):
        inwards = np.float32(0.5) - sign * lr
        there = inwards <= _TOLERANCE
        if not there.any():
            continue
        close = (inwards <= _CLOSE) & ~there
        plain = there.astype(np.float32) - close
        drawn = (_around(plain, REACH_PX) > 0).any(axis=0)  # in one colour is enough
        held[drawn & there] = sign
        if (faint := drawn & ~there & (inwards <= _FAINT)).any():
            few = (_around(there - _FEW * close, REACH_PX) > 0).any(axis=0)
            held[faint & few & (_around(inwards > _INK, 1) > 0)] = sign
        kept[there] = sign
    kept += held * (kept == 0)
    return Ends(held, kept) if kept.any() else None


def put_at_ends(sr: Floats, held: Signs) -> None:
    """Put what is held at its end of the range.

    Args:
        sr: (C, scale * H, scale * W) float32 in -0.5..0.5; is changed.
        held: (C, H, W), of the LR picture.
    """
    cells = _cells(sr, held)
    for sign in (1, -1):
        if (places := held == sign).any():
            np.copyto(cells, np.float32(0.5 * sign), where=places[:, :, None, :, None])


def not_inwards(added: Floats, kept: Signs) -> None:
    """Leave out what would move a px away from the end of the range that its LR px is at.

    Args:
        added: (C, scale * H, scale * W) float32: what a correction adds; is changed.
        kept: (C, H, W), of the LR picture.
    """
    cells = _cells(added, kept)
    zero = np.float32(0)
    for sign, limit in ((1, np.maximum), (-1, np.minimum)):
        if (places := kept == sign).any():
            limit(cells, zero, out=cells, where=places[:, :, None, :, None])


def _cells(sr: Floats, signs: Signs) -> Floats:
    """The SR px of each LR px: (C, H, scale, W, scale), a view."""
    colours, height, width = signs.shape
    scale = sr.shape[1] // height
    cells: Floats = sr.reshape(colours, height, scale, width, scale)
    return cells


def _around(counts: npt.NDArray[np.float32] | npt.NDArray[np.bool_], radius_px: int) -> Floats:
    """Sums over the squares around each px, as far as they lie inside."""
    vertical, horizontal = (_square(length, radius_px) for length in counts.shape[1:])
    sums = along_rows(vertical, counts.astype(np.float32))
    return along_rows(horizontal, sums.swapaxes(1, 2)).swapaxes(1, 2)


@lru_cache(maxsize=16)
def _square(length_px: int, radius_px: int) -> Floats:
    at = np.arange(length_px)
    square: Floats = (np.abs(at[:, None] - at) <= radius_px).astype(np.float32)
    return square
