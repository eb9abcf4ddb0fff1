"""Measure a network's scale, and what sizes it takes."""

from dataclasses import dataclass, field
from itertools import count

import numpy as np

from clearzoom.errors import ModelError
from clearzoom.probe.onnx_file import Opened, fails
from clearzoom.weights.card import Sizes

_TRIED_PX = 64
_LARGEST_SCALE = 8
_LEAST_FIXED_PX = 16


@dataclass
class _Seen:
    """``shapes``: (input, output) that were no enlargement; ``reason``: why a run failed."""

    shapes: list[tuple[tuple[int, int], tuple[int, ...]]] = field(default_factory=list)
    reason: str = ""


def measure_sizes(opened: Opened, *, from_above: bool = False) -> tuple[int, Sizes]:
    """Find the scale, and the least multiple and size that the network takes.

    Args:
        opened: with the sizes that its file fixes.
        from_above: look for the least size downwards, up to the first that fails: for networks that
            end the whole process at some small size, so that no other one is tried.

    Raises:
        ModelError: it enlarges no size, or not by one whole number from 2 to 8.
    """
    for side in opened.fixed_px:
        if side is not None and side < _LEAST_FIXED_PX:
            raise ModelError(
                f"this network takes pictures of {side} px alone, too few to be enlarged in parts"
            )
    seen = _Seen()
    for multiple in range(1, _TRIED_PX + 1):
        times = -(-_TRIED_PX // multiple)
        if (scale := _scale_of_both(opened, multiple, times, seen)) is not None:
            break
        if None not in opened.fixed_px:
            break
    if scale is None:
        raise ModelError(_why_none(opened, seen))
    if not 2 <= scale <= _LARGEST_SCALE:
        what = "does not enlarge" if scale == 1 else f"enlarges {scale} times"
        raise ModelError(f"this network {what}; it must be 2 to {_LARGEST_SCALE} times")
    if None not in opened.fixed_px:
        return scale, Sizes(fixed_px=opened.fixed_px)
    if from_above:
        least = times
        while least > 1 and _scale_of_both(opened, multiple, least - 1, _Seen()):
            least -= 1
    else:
        tried = count(1)
        least = next(n for n in tried if _scale_of_both(opened, multiple, n, _Seen()) or n >= times)
    return scale, Sizes(multiple_px=multiple, minimum_px=least * multiple, fixed_px=opened.fixed_px)


def _scale_of_both(opened: Opened, multiple: int, times: int, seen: _Seen) -> int | None:
    """The scale of two neighbouring sizes, lying, standing and square, if they are taken."""
    short, long = multiple * times, multiple * (times + 1)
    scales = set()
    for free in ((short, long), (long, short), (short, short)):
        height, width = (
            side or free_side for side, free_side in zip(opened.fixed_px, free, strict=True)
        )
        scales.add(_scale_of(opened, height, width, seen))
    return scales.pop() if len(scales) == 1 else None


def _scale_of(opened: Opened, height: int, width: int, seen: _Seen) -> int | None:
    x = np.zeros((1, opened.channels, height, width), opened.dtype)
    y, reason = fails(lambda: opened.run(x))
    if y is None:
        seen.reason = seen.reason or reason
        return None
    scale = y.shape[2] // height if y.ndim == 4 else 0
    if scale and y.shape == (1, opened.channels, height * scale, width * scale):
        return scale
    seen.shapes.append(((height, width), y.shape))
    return None


def _why_none(opened: Opened, seen: _Seen) -> str:
    for (height, width), shape in seen.shapes:
        if len(shape) != 4 or shape[:2] != (1, opened.channels):
            words = " x ".join(map(str, shape))
            return (
                f"this network is not from picture to picture: 1 x {opened.channels} x {height} x "
                f"{width} come back as {words}"
            )
    if seen.shapes:
        (height, width), (*_, down, across) = seen.shapes[0]
        return (
            f"this network has not one whole scale: {width}x{height} px come back as "
            f"{across}x{down} px, {across / width:.4g} times across and {down / height:.4g} down"
        )
    return f"this network takes no picture of about {_TRIED_PX} px: {seen.reason}"
