"""Back-projection: make an enlarged picture reduce to the picture it came from, nearly."""

from functools import lru_cache

import numpy as np
import numpy.typing as npt

from clearzoom.core.resize import resize_matrix
from clearzoom.errors import SizeError

Floats = npt.NDArray[np.float32]

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
    (down_v, up_v), (down_h, up_h) = _matrices(height, scale), _matrices(width, scale)
    best = np.clip(sr, np.float32(-0.5), np.float32(0.5))
    ahead = best
    for round_ in range(ROUNDS):
        remainder = lr - _along_both(down_v, down_h, ahead)
        beyond = remainder - np.clip(remainder, -LEFT_ALONE, LEFT_ALONE)
        if round_:  # what the range clipped is wanted whole: from twice as much nothing stays
            beyond += np.clip(beyond, -LEFT_ALONE, LEFT_ALONE)
        remainder = beyond
        if round_ < 2 and np.abs(remainder).max() <= _ENOUGH:
            return ahead
        before, best = best, _along_both(up_v, up_h, remainder)
        best += ahead
        np.clip(best, np.float32(-0.5), np.float32(0.5), out=best)
        ahead = best if not round_ else 2 * best - before
    return best
