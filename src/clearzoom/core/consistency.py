"""Consistency: how closely an enlarged picture, reduced again, must match its input."""

from collections.abc import Iterator
from itertools import product
from typing import Literal

import numpy as np
import numpy.typing as npt

from clearzoom.core import low_frequencies
from clearzoom.core.arrays import Tensor
from clearzoom.core.back_projection import CELLS, enlarged, reduced
from clearzoom.core.range_ends import (
    RangeEnds,
    Signs,
    block_inward_steps,
    find_range_ends,
    pin_to_ends,
)
from clearzoom.errors import SizeError

Consistency = float | Literal["full", "tones", "none"]
"""Which part of the residual is added back: ``full`` adds all but the input's rounding, a number n
adds what exceeds n levels of 255 and the tones, ``tones`` adds only what is broader than about 8 LR
px, and ``none`` adds nothing."""

Area = tuple[slice, slice]
"""Rows and columns."""

ROUNDS = 8
"""The most rounds of back-projection. Without clipping one round is exact; the others repair what
the limits of the range cut off."""

_REPAIR_REACH_PX = 2 * (CELLS // 2) * 4
"""LR px that four rounds of back-projection see beyond their own: each round reduces once and
enlarges once, and each of these reaches half a kernel. Later rounds change fractions of a level
and stay local, so tiles with this halo equal the whole picture."""

_CONVERGED = np.float32(0.25 / 255)
"""The rounds end when no residual is larger, as a fraction of the range."""

LEFT_ALONE_LEVELS = 0.45
"""``full`` leaves this much of each residual, in levels of 255. That part is mostly the rounding
and grain of the input, which a network has smoothed for good reason; a result may differ by half a
level on average."""

_LEFT_ALONE = np.float32(LEFT_ALONE_LEVELS / 255)

_BLOCK_PX, _SPREAD_PX = 64, 8
"""The repair covers the blocks of 64 px in which the range clips, or clips within 8 px of them;
farther away a repair would change less than a fraction of a level."""


def reach_px(consistency: Consistency) -> int:
    """Return how many LR px around a tile the consistency step reads beyond the network's reach.

    Args:
        consistency: any consistency.
    """
    if consistency == "none":
        return 0
    return _REPAIR_REACH_PX if consistency == "full" else low_frequencies.REACH_PX


def made_consistent(sr: Tensor, lr: Tensor, consistency: Consistency) -> Tensor:
    """Add the residual back to an enlarged picture, as far as the consistency asks for.

    With every consistency, also ``none``, px that are drawn at an end of the range stay there
    (see ``find_range_ends``).

    Args:
        sr: (C, scale * H, scale * W) float32 in -0.5..0.5; values outside are clipped.
        lr: (C, H, W) float32 in -0.5..0.5; its borders are mirrored, as in the protocol.
        consistency: the part of the residual that is added.

    Returns:
        (C, scale * H, scale * W) float32 in -0.5..0.5.

    Raises:
        SizeError: the shape of sr is no multiple of the shape of lr.
    """
    (colours, height, width), scale = lr.shape, sr.shape[1] // lr.shape[1]
    if sr.shape != (colours, scale * height, scale * width):
        raise SizeError(f"a picture of {sr.shape} is no enlargement of one of {lr.shape}")
    best = np.empty(sr.shape, np.float32)
    np.clip(sr, np.float32(-0.5), np.float32(0.5), out=best)
    ends = find_range_ends(lr)
    if ends is not None:
        pin_to_ends(best, ends.pinned)
    if consistency == "none":
        return best
    if consistency == "full":
        return _back_projected(best, lr, ends)
    residual = _residual(best, lr)
    if consistency == "tones":
        correction = low_frequencies.low_frequency_part(residual)
    else:
        dead_zone = np.float32(consistency / 255)
        inside = np.clip(residual, -dead_zone, dead_zone)
        # What exceeds the dead zone is added exactly (``reduced`` inverts ``enlarged``), so a new
        # residual would be ``inside``: its tones can be added in the same step.
        correction = residual - inside + low_frequencies.low_frequency_part(inside)
    return _corrected(best, correction, None if ends is None else ends.bounded)


def _back_projected(best: Tensor, lr: Tensor, ends: RangeEnds | None) -> Tensor:
    """Add the enlarged residual, except for 0.45 levels of it.

    One round is exact unless the range clips. There the missing part is added again, with a full
    step of momentum, until it is under a quarter of a level.

    References:
        Irani and Peleg, "Improving resolution by image registration", 1991.
    """
    scale = best.shape[1] // lr.shape[1]
    bounded = None if ends is None else ends.bounded
    excess = _excess(best, lr)
    if np.abs(excess).max() <= _CONVERGED:
        return best
    best = _corrected(best, excess, bounded)
    clipped = np.abs(_undamped(_excess(best, lr))).max(axis=0) > _CONVERGED
    if clipped.any():
        before = best.copy()
        for block, window in _repair_areas(clipped):
            inner, outer = _scaled(block, scale), _scaled(window, scale)
            free = _away_from_cuts(window, lr)
            part = None if bounded is None else bounded[:, *window]
            repaired = _repaired(before[:, *outer], lr[:, *window], free, part)
            inside = (
                slice(a.start - b.start, a.stop - b.start)
                for a, b in zip(inner, outer, strict=True)
            )
            best[:, *inner] = repaired[:, *inside]
    return best


def _repaired(
    best: Tensor, lr: Tensor, free: npt.NDArray[np.bool_], bounded: Signs | None
) -> Tensor:
    """Repeat back-projection with momentum at the free px, for what clipping took away."""
    ahead = best
    for round_ in range(1, ROUNDS):
        excess = _undamped(_excess(ahead, lr)) * free
        if round_ == 1 and np.abs(excess).max() <= _CONVERGED:
            return best
        before, best = best, _corrected(ahead, excess, bounded)
        ahead = 2 * best - before
    return best


def _residual(sr: Tensor, lr: Tensor) -> Tensor:
    """Subtract the reduced picture from LR; both are clipped where the reduction overshoots."""
    seen = reduced(sr, sr.shape[1] // lr.shape[1])
    residual: Tensor = lr - np.clip(seen, np.float32(-0.5), np.float32(0.5))
    return residual


def _excess(sr: Tensor, lr: Tensor) -> Tensor:
    """Return the part of the residual that exceeds what ``full`` leaves alone."""
    residual = _residual(sr, lr)
    excess: Tensor = residual - np.clip(residual, -_LEFT_ALONE, _LEFT_ALONE)
    return excess


def _undamped(excess: Tensor) -> Tensor:
    """Undo the dead zone where something exceeds it: there the whole residual is repaired."""
    whole: Tensor = excess + np.clip(excess, -_LEFT_ALONE, _LEFT_ALONE)
    return whole


def _corrected(sr: Tensor, correction: Tensor, bounded: Signs | None) -> Tensor:
    """Add an enlarged LR correction to a picture and clip the sum to the range."""
    result = enlarged(correction, sr.shape[1] // correction.shape[1])
    if bounded is not None:
        block_inward_steps(result, bounded)
    result += sr
    np.clip(result, np.float32(-0.5), np.float32(0.5), out=result)
    return result


def _repair_areas(clipped: npt.NDArray[np.bool_]) -> Iterator[tuple[Area, Area]]:
    """Give the blocks of LR px that need a repair, each with the window to compute it from.

    If the windows would have more px than the picture, the whole picture is one block.
    """
    height, width = clipped.shape
    rows, columns = (
        [slice(start, min(start + _BLOCK_PX, length)) for start in range(0, length, _BLOCK_PX)]
        for length in clipped.shape
    )
    areas = [
        (
            (down, across),
            (_grown(down, height, _REPAIR_REACH_PX), _grown(across, width, _REPAIR_REACH_PX)),
        )
        for down, across in product(rows, columns)
        if clipped[_grown(down, height, _SPREAD_PX), _grown(across, width, _SPREAD_PX)].any()
    ]
    if len(areas) * (_BLOCK_PX + 2 * _REPAIR_REACH_PX) ** 2 >= height * width:
        whole = (slice(0, height), slice(0, width))
        yield whole, whole
    else:
        yield from areas


def _grown(part: slice, length: int, by: int) -> slice:
    return slice(max(0, part.start - by), min(length, part.stop + by))


def _away_from_cuts(window: Area, lr: Tensor) -> npt.NDArray[np.bool_]:
    """Mark the LR px whose kernels do not reach beyond an edge where the window cuts the picture.

    At such an edge the window is mirrored, but the picture goes on: a repair there would be wrong.
    """
    free = []
    for part, length in zip(window, lr.shape[1:], strict=True):
        at = np.arange(part.start, part.stop)
        first = part.start + CELLS if part.start else 0
        last = part.stop - CELLS if part.stop < length else length
        free.append((at >= first) & (at < last))
    both: npt.NDArray[np.bool_] = free[0][:, None] & free[1]
    return both


def _scaled(area: Area, scale: int) -> Area:
    rows, columns = area
    return (
        slice(rows.start * scale, rows.stop * scale),
        slice(columns.start * scale, columns.stop * scale),
    )
