"""Back-projection: make an enlarged picture reduce to the picture it came from, nearly."""

from collections.abc import Iterator
from functools import lru_cache
from itertools import product

import numpy as np
import numpy.typing as npt

from clearzoom.core.resize import resize_matrix
from clearzoom.errors import SizeError

Floats = npt.NDArray[np.float32]
Cut = tuple[slice, slice]

_CELLS = 5
"""LR px that the remainder's kernel covers along an axis; the reduction's covers no more."""

ROUNDS = 8
"""At most: one is exact in real numbers; the others repair what the range of levels clips."""

REACH_PX = 2 * (_CELLS // 2) * 4
"""LR px that four rounds look beyond their own: each reduces once and enlarges once. What the
others repair is a fraction of a level, and local: tiles with this halo equal the whole picture."""

_ENOUGH = np.float32(0.25 / 255)
"""Of the range: with no LR px further off than this, the rounds end."""

LEFT_ALONE = np.float32(0.45 / 255)
"""Of the range: so much of each remainder stays. It is mostly the input's rounding and grain, which
a network has smoothed for good reason; on average a result may be half a level off."""

_BLOCK_PX = 64
_REPAIRED_PX, _SPREAD_PX = 64, 8
"""Blocks in which the range clips are repaired alone, with what lies so near: further off the
repair is under a fraction of a level."""


def remainder_kernel(scale: int) -> npt.NDArray[np.float64]:
    """Give the smoothest enlargement that the protocol's reduction takes back exactly.

    Of all kernels of five cells that reduce to a single LR px of 1 and add up to 1 everywhere, it
    has the least second differences. (Bicubic is not taken back: it needs many rounds.)

    Args:
        scale: the enlargement, 2 to 4.

    Returns:
        (5 * scale,): what an LR px adds to the SR px of the five cells around it.
    """
    taps, length = _CELLS * scale, 21  # long enough that the middle knows nothing of the borders
    first = (length // 2 - _CELLS // 2) * scale
    as_seen = resize_matrix(length * scale, length)[:, first : first + taps]
    phases = np.arange(taps) % scale == np.arange(scale)[:, None]
    rules = np.concatenate([as_seen, phases])
    wanted = np.concatenate([np.arange(length) == length // 2, np.ones(scale)])
    bend = np.diff(np.eye(taps + 4)[:, 2:-2], n=2, axis=0)
    corner = np.zeros((len(rules), len(rules)))
    system = np.block([[bend.T @ bend, rules.T], [rules, corner]])
    solved = np.linalg.lstsq(system, np.concatenate([np.zeros(taps), wanted]), rcond=None)[0]
    kernel: npt.NDArray[np.float64] = solved[:taps]
    return kernel


@lru_cache(maxsize=8)
def _matrices(length_px: int, scale: int) -> tuple[Floats, Floats]:
    """The reduction (length, scale * length) and the remainder's enlargement (its shape turned)."""
    reduce = resize_matrix(scale * length_px, length_px).astype(np.float32)
    kernel = remainder_kernel(scale)
    enlarge = np.zeros((scale * length_px, length_px))
    places = np.arange(len(kernel)) - (_CELLS // 2) * scale
    for cell in range(length_px):
        mirrored = (places + cell * scale) % (2 * scale * length_px)
        mirrored = np.minimum(mirrored, 2 * scale * length_px - 1 - mirrored)
        np.add.at(enlarge[:, cell], mirrored, kernel)
    return reduce, enlarge.astype(np.float32)


def _along_rows(matrix: Floats, image: Floats) -> Floats:
    """``matrix @ image`` for a banded matrix: block by block, zeros left out."""
    outputs, inputs = matrix.shape
    result = np.empty((*image.shape[:-2], outputs, image.shape[-1]), np.float32)
    step = max(1, _BLOCK_PX * outputs // max(outputs, inputs))
    for start in range(0, outputs, step):
        block = matrix[start : start + step]
        used = np.flatnonzero(block.any(axis=0))
        near = slice(used[0], used[-1] + 1)
        np.matmul(block[:, near], image[..., near, :], out=result[..., start : start + step, :])
    return result


def _along_both(vertical: Floats, horizontal: Floats, image: Floats) -> Floats:
    # The axis that grows comes last, the one that shrinks first: fewer samples in between.
    if len(vertical) < vertical.shape[1]:
        image = _along_rows(vertical, image)
        return _along_rows(horizontal, image.swapaxes(1, 2)).swapaxes(1, 2)
    image = _along_rows(horizontal, image.swapaxes(1, 2)).swapaxes(1, 2)
    return _along_rows(vertical, np.ascontiguousarray(image))


def back_project(sr: Floats, lr: Floats) -> Floats:
    """Add the enlarged remainder (LR minus the reduced SR), less 0.45 levels that stay.

    One round is exact; where the range clips, the rest is added again, with a full step of
    momentum, until it is under a quarter level.

    Args:
        sr: (C, scale * H, scale * W) float32 in -0.5..0.5; outside is clipped.
        lr: (C, H, W) float32 in -0.5..0.5; mirrored at its borders, as the protocol does.

    Returns:
        (C, scale * H, scale * W) float32 in -0.5..0.5, whose bicubic reduction is within 0.45 of
        255 levels of lr, as far as the range allows and eight rounds reach.

    Raises:
        SizeError: the shape of sr is no multiple of lr's.

    References:
        Irani and Peleg, "Improving resolution by image registration", 1991.
    """
    (colours, height, width), scale = lr.shape, sr.shape[1] // lr.shape[1]
    if sr.shape != (colours, scale * height, scale * width):
        raise SizeError(f"a picture of {sr.shape} is no enlargement of one of {lr.shape}")
    best = np.clip(sr, np.float32(-0.5), np.float32(0.5))
    beyond = _beyond(best, lr)
    if np.abs(beyond).max() <= _ENOUGH:
        return best
    best = _added(best, beyond)
    clipped = np.abs(_wanted_whole(_beyond(best, lr))).max(axis=0) > _ENOUGH
    if clipped.any():
        before = best.copy()
        for block, window in _places(clipped):
            inner, outer = _times(block, scale), _times(window, scale)
            again = _repaired(before[:, *outer], lr[:, *window], _away_from_cuts(window, lr))
            cut = (
                slice(a.start - b.start, a.stop - b.start)
                for a, b in zip(inner, outer, strict=True)
            )
            best[:, *inner] = again[:, *cut]
    return best


def _repaired(best: Floats, lr: Floats, free: npt.NDArray[np.bool_]) -> Floats:
    """Add what the range clipped again, with a full step of momentum, where that is free."""
    ahead = best
    for round_ in range(1, ROUNDS):
        beyond = _wanted_whole(_beyond(ahead, lr)) * free
        if round_ == 1 and np.abs(beyond).max() <= _ENOUGH:
            return best
        before, best = best, _added(ahead, beyond)
        ahead = 2 * best - before
    return best


def _beyond(sr: Floats, lr: Floats) -> Floats:
    """What of the remainder does not stay."""
    scale = sr.shape[1] // lr.shape[1]
    down_v, down_h = (_matrices(length, scale)[0] for length in lr.shape[1:])
    remainder = lr - _along_both(down_v, down_h, sr)
    beyond: Floats = remainder - np.clip(remainder, -LEFT_ALONE, LEFT_ALONE)
    return beyond


def _wanted_whole(beyond: Floats) -> Floats:
    """What the range clipped is wanted whole: from twice as much nothing stays."""
    whole: Floats = beyond + np.clip(beyond, -LEFT_ALONE, LEFT_ALONE)
    return whole


def _added(sr: Floats, beyond: Floats) -> Floats:
    scale = sr.shape[1] // beyond.shape[1]
    up_v, up_h = (_matrices(length, scale)[1] for length in beyond.shape[1:])
    added = _along_both(up_v, up_h, beyond)
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
        ((down, across), (_grown(down, height, REACH_PX), _grown(across, width, REACH_PX)))
        for down, across in product(rows, columns)
        if clipped[_grown(down, height, _SPREAD_PX), _grown(across, width, _SPREAD_PX)].any()
    ]
    if len(found) * (_REPAIRED_PX + 2 * REACH_PX) ** 2 >= height * width:
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
        first = part.start + _CELLS if part.start else 0
        last = part.stop - _CELLS if part.stop < length else length
        free.append((at >= first) & (at < last))
    both: npt.NDArray[np.bool_] = free[0][:, None] & free[1]
    return both


def _times(cut: Cut, scale: int) -> Cut:
    rows, columns = cut
    return (
        slice(rows.start * scale, rows.stop * scale),
        slice(columns.start * scale, columns.stop * scale),
    )
