"""Back-projection: the protocol's reduction and the enlargement that it inverts, as matrices.

The residual of an enlarged picture is its LR picture minus the reduction of the enlarged one.
Enlarged by the kernel made here and added, it makes the reduction equal to the LR picture.
"""

from functools import lru_cache

import numpy as np

from clearzoom.core.arrays import Float64Array, Tensor
from clearzoom.core.resize import resize_matrix

CELLS = 5
"""The kernel covers this many LR px along an axis; the reduction's kernel covers no more."""

_BLOCK_PX = 32

_PRODUCT_MACS = 2**18
"""OpenBLAS, numpy's library for products, keeps one of up to so many multiply-adds in its thread.

Larger ones wake its other threads, which wait for each other without sleeping. Beside other
programs this takes longer than the products do.
"""


def back_projection_kernel(scale: int) -> Float64Array:
    """Compute the smoothest enlargement that the protocol's reduction inverts exactly.

    The kernel minimises the sum of its squared second differences, under two linear constraints:
    its reduction is 1 at its own LR px and 0 at all others, and the kernels of all LR px add up to
    1 everywhere. (Bicubic enlargement is not inverted; repeating it would take many rounds.)

    Args:
        scale: the enlargement, 2 to 4.

    Returns:
        (5 * scale,) float64: what an LR px adds to the SR px of the five cells around it.
    """
    # 21 LR px: at its middle the reduction does not reach the mirrored borders.
    taps, length = CELLS * scale, 21
    first = (length // 2 - CELLS // 2) * scale
    reduction = resize_matrix(length * scale, length)[:, first : first + taps]
    phases = np.arange(taps) % scale == np.arange(scale)[:, None]
    constraints = np.concatenate([reduction, phases])
    values = np.concatenate([np.arange(length) == length // 2, np.ones(scale)])
    bend = np.diff(np.eye(taps + 4)[:, 2:-2], n=2, axis=0)
    # The minimum under constraints, by Lagrange multipliers: one symmetric linear system. The
    # constraints are not independent, hence least squares.
    corner = np.zeros((len(constraints), len(constraints)))
    system = np.block([[bend.T @ bend, constraints.T], [constraints, corner]])
    solved = np.linalg.lstsq(system, np.concatenate([np.zeros(taps), values]), rcond=None)[0]
    kernel: Float64Array = solved[:taps]
    return kernel


def reduced(sr: Tensor, scale: int) -> Tensor:
    """Reduce a picture as the protocol does, without rounding to levels.

    Args:
        sr: (C, scale * H, scale * W) float32.
        scale: the enlargement.

    Returns:
        (C, H, W) float32.
    """
    vertical, horizontal = (_matrices(length // scale, scale)[0] for length in sr.shape[1:])
    # Rows come first: the intermediate picture is then the smaller one.
    image = along_rows(vertical, sr)
    return along_rows(horizontal, image.swapaxes(1, 2)).swapaxes(1, 2)


def enlarged(residual: Tensor, scale: int) -> Tensor:
    """Enlarge a residual by the kernel; ``reduced`` inverts this exactly.

    Args:
        residual: (C, H, W) float32; its borders are mirrored, as in the protocol.
        scale: the enlargement.

    Returns:
        (C, scale * H, scale * W) float32.
    """
    vertical, horizontal = (_matrices(length, scale)[1] for length in residual.shape[1:])
    # Rows come last, for the same reason.
    image = along_rows(horizontal, residual.swapaxes(1, 2)).swapaxes(1, 2)
    return along_rows(vertical, np.ascontiguousarray(image))


@lru_cache(maxsize=8)
def _matrices(length_px: int, scale: int) -> tuple[Tensor, Tensor]:
    """Build the reduction (length, scale * length) and the enlargement (scale * length, length)."""
    reduce = resize_matrix(scale * length_px, length_px).astype(np.float32)
    kernel = back_projection_kernel(scale)
    enlarge = np.zeros((scale * length_px, length_px))
    offsets = np.arange(len(kernel)) - (CELLS // 2) * scale
    for cell in range(length_px):
        mirrored = (offsets + cell * scale) % (2 * scale * length_px)
        mirrored = np.minimum(mirrored, 2 * scale * length_px - 1 - mirrored)
        np.add.at(enlarge[:, cell], mirrored, kernel)
    return reduce, enlarge.astype(np.float32)


def along_rows(matrix: Tensor, image: Tensor) -> Tensor:
    """Compute ``matrix @ image`` for a banded matrix, in blocks that leave out its zeros.

    No block is so large that it would be shared among threads: tiles are in work side by side.

    Args:
        matrix: (outputs, H) float32; no row is empty.
        image: (..., H, W) float32.

    Returns:
        (..., outputs, W) float32.
    """
    outputs, inputs = matrix.shape
    result = np.empty((*image.shape[:-2], outputs, image.shape[-1]), np.float32)
    step = max(1, _BLOCK_PX * outputs // max(outputs, inputs))
    for start in range(0, outputs, step):
        block = matrix[start : start + step]
        used = np.flatnonzero(block.any(axis=0))
        band = slice(used[0], used[-1] + 1)
        factor = block[:, band]
        wide = max(1, _PRODUCT_MACS // factor.size)
        for left in range(0, image.shape[-1], wide):
            part = slice(left, left + wide)
            np.matmul(factor, image[..., band, part], out=result[..., start : start + step, part])
    return result
