"""Tell a network that drifts on a hard picture from one that is broken.

Networks overshoot where levels change at every px, and networks for textures most of all: on a
checkerboard the released ones reach three ranges beyond black and white, and tones move by 0.15 of
the range. That is drift: it is clipped, and consistency gives the tones back. On smooth pictures
no released network moves by a hundredth. A broken network, which mixed precision can produce,
returns NaN, or numbers absurdly far off, or misses the broad tones of smooth pictures too.
"""

import numpy as np

from clearzoom.core.arrays import Float64Array, Tensor

_DETAIL_TOLERANCE = 0.3
"""A share of the range, added for a checkerboard of black and white px. The released networks need
at most half of it there, which ``tests/engines/test_plausible.py`` measures."""

_BLOCK_PX = 16
"""Side of the LR blocks whose means are compared. A dead network that returns one grey can have the
right mean of a whole picture by chance, but not of each block."""

_ABSURD = 32.0
"""Numbers this many ranges off are no picture: nearly ten times what released networks reach."""


def detail_of(x: Tensor) -> float:
    """Measure how much a picture changes from px to px: 0 is flat, 1 a checkerboard.

    Args:
        x: (..., H, W), full range = 1.

    Returns:
        The mean difference of neighbours, across and down.

    Example:
        >>> detail_of(np.indices((1, 4, 4)).sum(0).astype(np.float32) % 2)
        1.0
    """
    steps = [np.abs(np.diff(x, axis=axis)) for axis in (-2, -1) if x.shape[axis] > 1]
    count = sum(each.size for each in steps)
    return float(sum(each.sum(dtype=np.float64) for each in steps) / count) if count else 0.0


def is_picture(x: Tensor, y: Tensor, mean_tolerance: float) -> bool:
    """Return whether a network's result can be an enlargement of its input.

    Args:
        x: (N, C, H, W), full range = 1.
        y: (N, C, scale * H, scale * W), the network's result.
        mean_tolerance: how far the means of a smooth picture may move, as a share of the range;
            with inf only NaN and infinite numbers are refused.
    """
    scale = y.shape[2] // x.shape[2]
    if not scale or y.shape != (*x.shape[:2], x.shape[2] * scale, x.shape[3] * scale):
        return False
    if not np.isfinite(y).all():
        return False
    if not np.isfinite(mean_tolerance):
        return True
    if float(np.abs(y).max()) > _ABSURD:
        return False
    rows, columns = (min(_BLOCK_PX, side) for side in x.shape[2:])
    before = _block_means(x, rows, columns)
    moved = _block_means(y, rows * scale, columns * scale) - before
    off = float(np.sqrt(np.square(moved).mean()))  # never less than the whole picture's mean
    return off < mean_tolerance + _DETAIL_TOLERANCE * detail_of(x)


def _block_means(planes: Tensor, rows: int, columns: int) -> Float64Array:
    """Compute the mean of each block over all channels; incomplete blocks are left out."""
    down, across = planes.shape[2] // rows, planes.shape[3] // columns
    whole = planes[..., : down * rows, : across * columns]
    blocks = whole.reshape(*planes.shape[:2], down, rows, across, columns)
    means: Float64Array = blocks.mean((0, 1, 3, 5), dtype=np.float64)
    return means
