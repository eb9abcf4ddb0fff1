"""Flat fields: where all px are equal, an enlarged picture has no detail to infer."""

import numpy as np
import numpy.typing as npt

_REACH_PX = 3


def flat_fields(levels: npt.NDArray[np.unsignedinteger]) -> npt.NDArray[np.bool_]:
    """Find the px whose neighbours within 3 px are all equal; the border adds no neighbours.

    Args:
        levels: (H, W, C), any unsigned integer type.

    Returns:
        (H, W) bool.

    Example:
        >>> bool(flat_fields(np.zeros((1, 1, 3), np.uint8)).all())
        True
    """
    down, across = (np.any(np.diff(levels, axis=axis) != 0, axis=2) for axis in (0, 1))
    changed = _any_near(down, 0) | _any_near(across, 1)
    flat: npt.NDArray[np.bool_] = ~changed
    return flat


def _any_near(changes: npt.NDArray[np.bool_], axis: int) -> npt.NDArray[np.bool_]:
    """Mark the px with a change in the square around them.

    A change at ``i`` along ``axis`` is between px i and i + 1.
    """
    sums = changes.cumsum(0, dtype=np.int32).cumsum(1, dtype=np.int32)
    sums = np.pad(sums, ((1, 0), (1, 0)))
    edges = []
    for along in (0, 1):
        between = along == axis
        at = np.arange(changes.shape[along] + between)
        last = np.minimum(at + _REACH_PX + (not between), changes.shape[along])
        edges.append((np.maximum(at - _REACH_PX, 0), last))
    (top, bottom), (left, right) = edges
    top, bottom = top[:, None], bottom[:, None]
    near: npt.NDArray[np.bool_] = (
        sums[bottom, right] - sums[top, right] - sums[bottom, left] + sums[top, left]
    ) > 0
    return near
