"""Consistency: how much of the difference from the input an enlarged picture is given back."""

from collections.abc import Iterator
from itertools import product
from typing import Literal

import numpy as np
import numpy.typing as npt

from clearzoom.core import tones
from clearzoom.core.ends import Ends, Signs, ends_of, not_inwards, put_at_ends
from clearzoom.core.remainder import CELLS, Floats, enlarged, reduced
from clearzoom.errors import SizeError

Consistency = float | Literal["full", "tones", "none"]
"""How much is given back: all of it; what is beyond so many levels of 255, and the tones; the tones
alone, which are broader than about 8 LR px; nothing."""

Cut = tuple[slice, slice]

ROUNDS = 8
"""At most: one is exact in real numbers; the others repair what the range of levels clips."""

_REPAIR_REACH_PX = 2 * (CELLS // 2) * 4
"""LR px that four rounds look beyond their own: each reduces once and enlarges once. What the
others repair is a fraction of a level, and local: tiles with this halo equal the whole picture."""

_ENOUGH = np.float32(0.25 / 255)
"""Of the range: with no LR px further off than this, the rounds end."""

LEFT_ALONE_LEVELS = 0.45
"""Of 255: so much of each remainder stays in ``full``. It is mostly the input's rounding and grain,
which a network has smoothed for good reason; on average a result may be half a level off."""

_LEFT_ALONE = np.float32(LEFT_ALONE_LEVELS / 255)

_REPAIRED_PX, _SPREAD_PX = 64, 8
"""Blocks in which the range clips are repaired alone, with what lies so near: further off the
repair is under a fraction of a level."""


def reach_px(consistency: Consistency) -> int:
    """Give the LR px around a tile that it looks at, beyond what the network needs.

    Args:
        consistency: any.
    """
    if consistency == "none":
        return 0
    return _REPAIR_REACH_PX if consistency == "full" else tones.REACH_PX


def made_consistent(sr: Floats, lr: Floats, consistency: Consistency) -> Floats:
    """Give an enlarged picture back what it has lost of its input, as far as that is worth keeping.

    In every way, also in ``none``, what is drawn at an end of the range stays there (``ends_of``).

    Args:
        sr: (C, scale * H, scale * W) float32 in -0.5..0.5; outside is clipped.
        lr: (C, H, W) float32 in -0.5..0.5; mirrored at its borders, as the protocol does.
        consistency: ``full``, what is beyond a number of levels of 255, ``tones`` or ``none``.

    Returns:
        (C, scale * H, scale * W) float32 in -0.5..0.5.

    Raises:
        SizeError: the shape of sr is no multiple of lr's.
    """
    (colours, height, width), scale = lr.shape, sr.shape[1] // lr.shape[1]
    if sr.shape != (colours, scale * height, scale * width):
        raise SizeError(f"a picture of {sr.shape} is no enlargement of one of {lr.shape}")
    best = np.empty(sr.shape, np.float32)
    np.clip(sr, np.float32(-0.5), np.float32(0.5), out=best)
    ends = ends_of(lr)
    if ends is not None:
        put_at_ends(best, ends.held)
    if consistency == "none":
        return best
    if consistency == "full":
        return _back_projected(best, lr, ends)
    remainder = _remainder(best, lr)
    if consistency == "tones":
        given = tones.broad_part(remainder)
    else:
        dead = np.float32(consistency / 255)
        left = np.clip(remainder, -dead, dead)
        # Reduced again, what is added is what was wanted, so this is what another look would find.
        given = remainder - left + tones.broad_part(left)
    return _added(best, given, None if ends is None else ends.kept)


def _back_projected(best: Floats, lr: Floats, ends: Ends | None) -> Floats:
    """Add the enlarged remainder (LR minus the reduced SR), less 0.45 levels that stay.

    One round is exact; where the range clips, the rest is added again, with a full step of
    momentum, until it is under a quarter level.

    References:
        Irani and Peleg, "Improving resolution by image registration", 1991.
    """
    scale = best.shape[1] // lr.shape[1]
    kept = None if ends is None else ends.kept
    beyond = _beyond(best, lr)
    if np.abs(beyond).max() <= _ENOUGH:
        return best
    best = _added(best, beyond, kept)
    clipped = np.abs(_wanted_whole(_beyond(best, lr))).max(axis=0) > _ENOUGH
    if clipped.any():
        before = best.copy()
        for block, window in _places(clipped):
            inner, outer = _times(block, scale), _times(window, scale)
            free = _away_from_cuts(window, lr)
            part = None if kept is None else kept[:, *window]
            again = _repaired(before[:, *outer], lr[:, *window], free, part)
            cut = (
                slice(a.start - b.start, a.stop - b.start)
                for a, b in zip(inner, outer, strict=True)
            )
            best[:, *inner] = again[:, *cut]
    return best


def _repaired(best: Floats, lr: Floats, free: npt.NDArray[np.bool_], kept: Signs | None) -> Floats:
    """Add what the range clipped again, with a full step of momentum, where that is free."""
    ahead = best
    for round_ in range(1, ROUNDS):
        beyond = _wanted_whole(_beyond(ahead, lr)) * free
        if round_ == 1 and np.abs(beyond).max() <= _ENOUGH:
            return best
        before, best = best, _added(ahead, beyond, kept)
        ahead = 2 * best - before
    return best


def _remainder(sr: Floats, lr: Floats) -> Floats:
    """What the reduced picture lacks; where it overshoots the range, it was clipped like LR."""
    seen = reduced(sr, sr.shape[1] // lr.shape[1])
    remainder: Floats = lr - np.clip(seen, np.float32(-0.5), np.float32(0.5))
    return remainder


def _beyond(sr: Floats, lr: Floats) -> Floats:
    """What of the remainder does not stay."""
    remainder = _remainder(sr, lr)
    beyond: Floats = remainder - np.clip(remainder, -_LEFT_ALONE, _LEFT_ALONE)
    return beyond


def _wanted_whole(beyond: Floats) -> Floats:
    """What the range clipped is wanted whole: from twice as much nothing stays."""
    whole: Floats = beyond + np.clip(beyond, -_LEFT_ALONE, _LEFT_ALONE)
    return whole


def _added(sr: Floats, given: Floats, kept: Signs | None) -> Floats:
    added = enlarged(given, sr.shape[1] // given.shape[1])
    if kept is not None:
        not_inwards(added, kept)
    added += sr
    np.clip(added, np.float32(-0.5), np.float32(0.5), out=added)
    return added


def _places(clipped: npt.NDArray[np.bool_]) -> Iterator[tuple[Cut, Cut]]:
    """Blocks of LR px in which the range clips, and the windows to look at for them.

    Where that is nearly everywhere, the whole picture is one block.
    """
    height, width = clipped.shape
    rows, columns = (
        [
            slice(start, min(start + _REPAIRED_PX, length))
            for start in range(0, length, _REPAIRED_PX)
        ]
        for length in clipped.shape
    )
    found = [
        (
            (down, across),
            (_grown(down, height, _REPAIR_REACH_PX), _grown(across, width, _REPAIR_REACH_PX)),
        )
        for down, across in product(rows, columns)
        if clipped[_grown(down, height, _SPREAD_PX), _grown(across, width, _SPREAD_PX)].any()
    ]
    if len(found) * (_REPAIRED_PX + 2 * _REPAIR_REACH_PX) ** 2 >= height * width:
        whole = (slice(0, height), slice(0, width))
        yield whole, whole
    else:
        yield from found


def _grown(part: slice, length: int, by: int) -> slice:
    return slice(max(0, part.start - by), min(length, part.stop + by))


def _away_from_cuts(window: Cut, lr: Floats) -> npt.NDArray[np.bool_]:
    """False in the LR px at a window's edges that see what lies outside of it."""
    free = []
    for part, length in zip(window, lr.shape[1:], strict=True):
        at = np.arange(part.start, part.stop)
        first = part.start + CELLS if part.start else 0
        last = part.stop - CELLS if part.stop < length else length
        free.append((at >= first) & (at < last))
    both: npt.NDArray[np.bool_] = free[0][:, None] & free[1]
    return both


def _times(cut: Cut, scale: int) -> Cut:
    rows, columns = cut
    return (
        slice(rows.start * scale, rows.stop * scale),
        slice(columns.start * scale, columns.stop * scale),
    )
