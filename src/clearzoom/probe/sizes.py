"""Measure a network's scale and the sizes that it accepts."""

from dataclasses import dataclass, field

import numpy as np

from clearzoom.errors import ModelError
from clearzoom.probe.onnx_file import Opened, fails
from clearzoom.weights.card import Sizes

_TRIED_PX = 64
_LARGEST_SCALE = 8
_LEAST_FIXED_PX = 16


@dataclass
class _Failures:
    """Trials that failed: (input, output) shapes without a whole scale, and a run's error."""

    shapes: list[tuple[tuple[int, int], tuple[int, ...]]] = field(default_factory=list)
    reason: str = ""


def measure_sizes(opened: Opened, *, from_above: bool = False) -> tuple[int, Sizes]:
    """Find the scale, and the least multiple and size that the network accepts.

    Args:
        opened: the network, with the sizes that its file fixes.
        from_above: search for the least size downwards and stop at the first that fails, for
            networks that end the whole process at some small size.

    Raises:
        ModelError: the network enlarges no size, or not by one whole number from 2 to 8.
    """
    for side in opened.fixed_px:
        if side is not None and side < _LEAST_FIXED_PX:
            raise ModelError(
                f"this network takes pictures of {side} px alone, too few to be enlarged in parts"
            )
    failures = _Failures()
    for multiple in range(1, _TRIED_PX + 1):
        times = -(-_TRIED_PX // multiple)
        if (scale := _scale_of_both(opened, multiple, times, failures)) is not None:
            break
        if None not in opened.fixed_px:
            break
    if scale is None:
        raise ModelError(_why_none(opened, failures))
    if not 2 <= scale <= _LARGEST_SCALE:
        what = "does not enlarge" if scale == 1 else f"enlarges {scale} times"
        raise ModelError(f"this network {what}; it must be 2 to {_LARGEST_SCALE} times")
    if None not in opened.fixed_px:
        return scale, Sizes(fixed_px=opened.fixed_px)
    if from_above:
        least = times
        while least > 1 and _scale_of_both(opened, multiple, least - 1, _Failures()):
            least -= 1
    else:
        least = 1
        while least < times and not _scale_of_both(opened, multiple, least, _Failures()):
            least += 1
    return scale, Sizes(multiple_px=multiple, minimum_px=least * multiple, fixed_px=opened.fixed_px)


def _scale_of_both(opened: Opened, multiple: int, times: int, failures: _Failures) -> int | None:
    """Return the scale of two neighbouring sizes, wide, tall and square, if all agree."""
    short, long = multiple * times, multiple * (times + 1)
    scales = set()
    for free in ((short, long), (long, short), (short, short)):
        height, width = (
            side or free_side for side, free_side in zip(opened.fixed_px, free, strict=True)
        )
        scales.add(_scale_of(opened, height, width, failures))
    return scales.pop() if len(scales) == 1 else None


def _scale_of(opened: Opened, height: int, width: int, failures: _Failures) -> int | None:
    x = np.zeros((1, opened.channels, height, width), opened.dtype)
    y, reason = fails(lambda: opened.run(x))
    if y is None:
        failures.reason = failures.reason or reason
        return None
    scale = y.shape[2] // height if y.ndim == 4 else 0
    if scale and y.shape == (1, opened.channels, height * scale, width * scale):
        return scale
    failures.shapes.append(((height, width), y.shape))
    return None


def _why_none(opened: Opened, failures: _Failures) -> str:
    for (height, width), shape in failures.shapes:
        if len(shape) != 4 or shape[:2] != (1, opened.channels):
            words = " x ".join(map(str, shape))
            return (
                f"this network does not map a picture to a picture: 1 x {opened.channels} x "
                f"{height} x {width} become {words}"
            )
    if failures.shapes:
        (height, width), (*_, down, across) = failures.shapes[0]
        return (
            f"this network has not one whole scale: {width}x{height} px come back as "
            f"{across}x{down} px, {across / width:.4g} times across and {down / height:.4g} down"
        )
    return f"this network takes no picture of about {_TRIED_PX} px: {failures.reason}"
