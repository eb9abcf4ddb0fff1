"""Measure the meaning of a network's numbers: black and white, and the order of colours."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from clearzoom.core.arrays import Levels
from clearzoom.core.resize import enlarge_bicubic, reduce_for_protocol, to_uint8
from clearzoom.engines.foreign import AnyRun, adapted
from clearzoom.errors import ModelError
from clearzoom.metrics.psnr import psnr
from clearzoom.probe.onnx_file import Opened
from clearzoom.probe.pictures import as_tensor, photograph
from clearzoom.probe.shift import measure_shift, shift_words
from clearzoom.weights.card import Interface, Sizes

Order = Literal["RGB", "BGR"]

_RANGES = ((0.0, 1.0), (0.0, 255.0), (-1.0, 1.0), (-0.5, 0.5))
_WORSE_THAN_BICUBIC_DB = 6.0
"""A larger loss means that it is no enlargement; networks for textures lose about 2 dB."""
_DOUBT_DB = {"ranges": 0.5, "order": 0.1}
"""The gain that an unlikely reading needs: one with unequal ranges, or with blue first."""
_SURE_DB = 0.01


@dataclass(frozen=True)
class Numbers:
    """The reading that is nearest to the photograph, by PSNR over RGB.

    ``shift_px`` is the offset of the result from its right place, down and right.
    """

    interface: Interface
    psnr_db: float
    bicubic_psnr_db: float
    other_order_psnr_db: float | None
    shift_px: tuple[int, int]


def measure_numbers(
    opened: Opened, scale: int, sizes: Sizes, shape: tuple[int, int], *, is_known: bool = False
) -> Numbers:
    """Try all readings of a network's numbers, and choose the one that enlarges a photograph best.

    Of equally good readings, as in networks that scale with their input, the first is chosen.

    Args:
        opened: the network.
        scale: of the enlargement.
        sizes: the accepted sizes.
        shape: an accepted height and width, for the trial.
        is_known: the numbers are RGB in 0..1, as spandrel has all its networks.

    Raises:
        ModelError: no reading gives an enlargement, or numbers are not finite.
    """
    hr = photograph(shape[0] * scale, shape[1] * scale)
    lr = reduce_for_protocol(hr, scale)
    if opened.channels == 1:  # luma alone is compared
        hr, lr = (np.repeat(each[..., 1:2], 3, axis=2) for each in (hr, lr))
    bicubic_db = _psnr(enlarge_bicubic(lr, scale), hr)
    run, x = _once(opened.run), as_tensor(lr)
    psnr_db: dict[Interface, float] = {}
    best: Interface | None = None
    nearest = hr
    for interface in _readings(opened, sizes, is_known=is_known):
        y = adapted(run, interface, scale, 0)(x)[0]
        if not np.isfinite(y).all():
            continue
        sr = to_uint8((y.transpose(1, 2, 0) + 0.5) * 255)
        psnr_db[interface] = _psnr(sr, hr)
        gain = psnr_db[interface] - _doubt_db(interface)
        if best is None or gain > psnr_db[best] - _doubt_db(best) + _SURE_DB:
            best, nearest = interface, sr
    if best is None:
        raise ModelError("this network gives numbers that are not finite for a photograph")
    shift_px = measure_shift(nearest, hr, scale)
    if psnr_db[best] < bicubic_db - _WORSE_THAN_BICUBIC_DB:
        lies = f", and lies {shift_words(shift_px)} of where it belongs" if any(shift_px) else ""
        raise ModelError(
            f"this is no enlarging network: of all readings of its numbers, {words(best)} is the "
            f"nearest to a photograph, with {psnr_db[best]:.1f} dB where bicubic has "
            f"{bicubic_db:.1f} dB{lies}"
        )
    other = _turned(best)
    other_db = None if other is None else psnr_db.get(other)
    return Numbers(best, psnr_db[best], bicubic_db, other_db, shift_px)


def words(interface: Interface) -> str:
    """Write a reading as words, e.g. "RGB in 0..1"."""
    taken, returned = (
        f"{order if interface.channels == 3 else 'luma'} in {low:g}..{high:g}"
        for order, (low, high) in (
            (interface.input_order, interface.input_range),
            (interface.output_order, interface.output_range),
        )
    )
    return taken if taken == returned else f"{taken}, out {returned}"


def _readings(opened: Opened, sizes: Sizes, *, is_known: bool) -> Iterator[Interface]:
    """Yield all readings of a network's numbers, the likely ones first."""
    orders: tuple[Order, ...] = ("RGB", "BGR") if opened.channels == 3 else ("RGB",)
    ranges: tuple[tuple[float, float], ...] = _RANGES
    if is_known:
        orders, ranges = ("RGB",), _RANGES[:1]
    for taken, returned, order, output_order in product(ranges, ranges, orders, orders):
        yield Interface(
            channels=opened.channels,
            input_order=order,
            output_order=output_order,
            input_range=taken,
            output_range=returned,
            dtype=opened.dtype,
            sizes=sizes,
        )


def _doubt_db(interface: Interface) -> float:
    differ = interface.input_range != interface.output_range
    return _DOUBT_DB["ranges"] * differ + _DOUBT_DB["order"] * (interface.input_order == "BGR")


def _turned(interface: Interface) -> Interface | None:
    if interface.channels == 1:
        return None
    other: dict[Order, Order] = {"RGB": "BGR", "BGR": "RGB"}
    return interface.model_copy(
        update={
            "input_order": other[interface.input_order],
            "output_order": other[interface.output_order],
        }
    )


def _once(run: AnyRun) -> AnyRun:
    """Wrap a run so that each input is computed once."""
    known: dict[bytes, npt.NDArray[Any]] = {}

    def again(x: npt.NDArray[Any]) -> npt.NDArray[Any]:
        key = x.tobytes()
        if key not in known:
            known[key] = run(x)
        return known[key]

    return again


def _psnr(sr: Levels, hr: Levels) -> float:
    return psnr(sr.astype(np.float64), hr.astype(np.float64))
