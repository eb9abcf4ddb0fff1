"""What the protocol's reduction takes away, and what gives it back: matrices of one axis."""

from functools import lru_cache

import numpy as np
import numpy.typing as npt

from clearzoom.core.resize import resize_matrix

Floats = npt.NDArray[np.float32]

CELLS = 5
"""LR px that the remainder's kernel covers along an axis; the reduction's covers no more."""

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
    taps, length = CELLS * scale, 21  # long enough that the middle knows nothing of the borders
    first = (length // 2 - CELLS // 2) * scale
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


def reduced(sr: Floats, scale: int) -> Floats:
    """Reduce as the protocol does, in fractions of levels.

    Args:
        sr: (C, scale * H, scale * W) float32.
        scale: the enlargement.

    Returns:
        (C, H, W).
    """
    vertical, horizontal = (_matrices(length // scale, scale)[0] for length in sr.shape[1:])
    # The axis that shrinks comes first: fewer samples in between.
    image = along_rows(vertical, sr)
    return along_rows(horizontal, image.swapaxes(1, 2)).swapaxes(1, 2)


def enlarged(remainder: Floats, scale: int) -> Floats:
    """Enlarge by the remainder's kernel; ``reduced`` takes it back exactly.

    Args:
        remainder: (C, H, W) float32; mirrored at its borders, as the protocol does.
        scale: the enlargement.

    Returns:
        (C, scale * H, scale * W).
    """
    vertical, horizontal = (_matrices(length, scale)[1] for length in remainder.shape[1:])
    # The axis that grows comes last.
    image = along_rows(horizontal, remainder.swapaxes(1, 2)).swapaxes(1, 2)
    return along_rows(vertical, np.ascontiguousarray(image))


@lru_cache(maxsize=8)
def _matrices(length_px: int, scale: int) -> tuple[Floats, Floats]:
    """The reduction (length, scale * length) and the remainder's enlargement (its shape turned)."""
    reduce = resize_matrix(scale * length_px, length_px).astype(np.float32)
    kernel = remainder_kernel(scale)
    enlarge = np.zeros((scale * length_px, length_px))
    places = np.arange(len(kernel)) - (CELLS // 2) * scale
    for cell in range(length_px):
        mirrored = (places + cell * scale) % (2 * scale * length_px)
        mirrored = np.minimum(mirrored, 2 * scale * length_px - 1 - mirrored)
        np.add.at(enlarge[:, cell], mirrored, kernel)
    return reduce, enlarge.astype(np.float32)


def along_rows(matrix: Floats, image: Floats) -> Floats:
    """Give ``matrix @ image`` for a banded matrix: block by block, zeros left out.

    Args:
        matrix: (outputs, H); no row is empty.
        image: (..., H, W).

    Returns:
        (..., outputs, W).
    """
    outputs, inputs = matrix.shape
    result = np.empty((*image.shape[:-2], outputs, image.shape[-1]), np.float32)
    step = max(1, _BLOCK_PX * outputs // max(outputs, inputs))
    for start in range(0, outputs, step):
        block = matrix[start : start + step]
        used = np.flatnonzero(block.any(axis=0))
        near = slice(used[0], used[-1] + 1)
        np.matmul(block[:, near], image[..., near, :], out=result[..., start : start + step, :])
    return result
