"""Run a network that others made as if it were ours: translate its range, channels and sizes."""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np
import numpy.typing as npt

from clearzoom.core.arrays import Tensor
from clearzoom.core.grid import mirrored
from clearzoom.core.resize import resize
from clearzoom.weights.card import Interface, Sizes

Run = Callable[[Tensor], Tensor]
AnyRun = Callable[[npt.NDArray[Any]], npt.NDArray[Any]]

_LUMA = np.array([0.299, 0.587, 0.114], np.float32)
"""Weights of R, G and B in full-range luma: ITU-R BT.601-7, 2.5.1."""


def adapted(
    run: AnyRun, interface: Interface, scale: int, reach_px: int, period_px: int = 1
) -> Run:
    """Translate a network's input and output to the form that our own networks have.

    Args:
        run: takes and returns (1, C, H, W) in the range, order and dtype that interface states.
        interface: what the model card states about the network.
        scale: how many times the network enlarges.
        reach_px: how far the network sees. It matters where the input size is fixed: other pictures
            are cut into parts, of which the outermost reach_px are not kept.
        period_px: such parts start at multiples of it.

    Returns:
        A function from (1, 3, H, W) float32 in -0.5..0.5, of any height and width, to
        (1, 3, scale * H, scale * W) float32 in the same range.
    """
    sized = _any_size(run, interface.sizes, scale, reach_px, period_px)

    def numbers(x: Tensor) -> Tensor:
        low, high = interface.input_range
        levels = (x + np.float32(0.5)) * np.float32(high - low) + np.float32(low)
        levels = levels.astype(interface.dtype)
        if interface.input_order == "BGR":
            levels = np.ascontiguousarray(levels[:, ::-1])
        y = sized(levels).astype(np.float32, copy=False)
        if interface.output_order == "BGR":
            y = y[:, ::-1]
        low, high = interface.output_range
        result: Tensor = (y - np.float32(low)) / np.float32(high - low) - np.float32(0.5)
        return result

    return numbers if interface.channels == 3 else _in_luma(numbers, scale)


def _in_luma(run: Run, scale: int) -> Run:
    """Run a network of one channel, and add its detail in luma to the interpolated colours."""

    def coloured(x: Tensor) -> Tensor:
        height, width = x.shape[2] * scale, x.shape[3] * scale
        luma = np.tensordot(_LUMA, x[0], 1)[None, None]
        colours = resize(x[0].transpose(1, 2, 0), height, width).astype(np.float32)
        soft = colours @ _LUMA
        y: Tensor = (colours.transpose(2, 0, 1) + (run(luma)[0] - soft))[None]
        return y

    return coloured


@dataclass(frozen=True)
class _Part:
    """The px ``start`` to ``stop`` of an axis, mirrored at its ends; only ``keep`` is used."""

    start: int
    stop: int
    keep: slice


def _any_size(run: AnyRun, sizes: Sizes, scale: int, reach_px: int, period_px: int) -> AnyRun:
    def sized(x: npt.NDArray[Any]) -> npt.NDArray[Any]:
        lengths = x.shape[2:]
        rows, columns = (
            _fixed_parts(length, fixed, reach_px, period_px) if fixed else [_whole(length, sizes)]
            for length, fixed in zip(lengths, sizes.fixed_px, strict=True)
        )
        y: npt.NDArray[Any] | None = None
        for down, across in product(rows, columns):
            at = mirrored(down.start, down.stop, lengths[0])[:, None]
            window = x[..., at, mirrored(across.start, across.stop, lengths[1])]
            part = run(np.ascontiguousarray(window))
            if y is None:
                y = np.empty((*part.shape[:2], *(length * scale for length in lengths)), part.dtype)
            (top, bottom), (left, right) = (_times(each.keep, scale) for each in (down, across))
            above, beside = down.start * scale, across.start * scale
            y[..., top:bottom, left:right] = part[
                ..., top - above : bottom - above, left - beside : right - beside
            ]
        assert y is not None
        return y

    return sized


def _whole(length: int, sizes: Sizes) -> _Part:
    needed = max(length, sizes.minimum_px)
    return _Part(0, needed + -needed % sizes.multiple_px, slice(0, length))


def _fixed_parts(length: int, fixed_px: int, reach_px: int, period_px: int) -> list[_Part]:
    """Cut an axis into parts of the fixed length; their edges, which the network pads, go."""
    step = (fixed_px - 2 * reach_px) // period_px * period_px
    return [
        _Part(at - reach_px, at - reach_px + fixed_px, slice(at, min(at + step, length)))
        for at in range(0, length, step)
    ]


def _times(part: slice, scale: int) -> tuple[int, int]:
    return part.start * scale, part.stop * scale
