"""Wrapped axes: beyond an edge the picture continues at its other side.

Textures that tile are wrapped along both axes, and panoramas of 360 degrees along x.
"""

from typing import Literal

Wrap = Literal["none", "x", "y", "both"]
"""The axes along which a picture is wrapped: x joins its left and right edges, y the others."""

Axis = Literal["x", "y"]
AXES: tuple[Axis, Axis] = ("x", "y")


def wraps(wrap: Wrap, axis: Axis) -> bool:
    """Return whether an axis is wrapped.

    Args:
        wrap: the wrapped axes of a picture.
        axis: one axis.

    Example:
        >>> wraps("both", "x"), wraps("y", "x")
        (True, False)
    """
    return wrap in (axis, "both")


def ranges_of(start: int, stop: int, length_px: int) -> list[tuple[int, int]]:
    """Give the px of a wrapped axis that positions start to stop show, as ranges inside of it.

    Args:
        start: the first position, which may lie outside of the axis.
        stop: the first position that is not shown.
        length_px: of the axis.

    Returns:
        Ranges in the order of the positions; the whole axis, once, for positions that show all.

    Example:
        >>> ranges_of(2, 5, 10), ranges_of(-2, 3, 10), ranges_of(-2, 9, 10)
        ([(2, 5)], [(8, 10), (0, 3)], [(0, 10)])
    """
    if stop - start >= length_px:
        return [(0, length_px)]
    first = start % length_px
    last = first + stop - start
    if last <= length_px:
        return [(first, last)]
    return [(first, length_px), (0, last - length_px)]
