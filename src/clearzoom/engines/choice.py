"""Choose the place where a network runs, and load it there.

A device that a person names is taken, or refused. ``auto`` without any accelerator is the CPU, with
the engine that the model's card measured as the fastest: nothing is tried. With accelerators, each
is tried on one tile, once (``trial``), and the fastest whose numbers are close to those of the CPU
is taken.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from clearzoom.core.arrays import Tensor
from clearzoom.engines import Device, Engine, Precision
from clearzoom.engines.devices import (
    PLACES,
    Place,
    accelerators,
    name_or_refusal,
    places_of,
)
from clearzoom.engines.float16 import float16_model
from clearzoom.engines.foreign import AnyRun, Run
from clearzoom.engines.onnxruntime import load_onnxruntime
from clearzoom.engines.openvino import load_openvino
from clearzoom.engines.torch import load_torch
from clearzoom.engines.trial import Trial, difference_levels, kept_trial, speed_of
from clearzoom.errors import ClearzoomError, DeviceError, MissingExtraError, ModelError
from clearzoom.weights import fastest_engine

_CLOSE_LEVELS = 0.5
"""In fp32 a place may differ so much from the CPU in single px, to be taken unasked: a rounded px
moves by one level at most."""

_MOST_LEVELS = 4.0
"""What differs by more is not used. The released networks differ by up to 0.14 levels in fp16, and
by 2.4 in bf16."""

_CLEARLY_FASTER = 1.1
"""So much faster than the CPU, an accelerator is worth other rounding than everybody else's."""

_FIRST_PX = 32
"""Side of a first run, in which a device's missing part shows itself."""


@dataclass(frozen=True)
class Model:
    """A network, as engines load it.

    Attributes:
        path: its ONNX file, beside which other files of it lie.
        content: what is loaded: the path, or a content that was made from it.
        sha256: the hash of the weights.
        denoise: the level that a person asked for, for torch, which sets it itself.
        adapt: translates its input and output to the form of our own networks, for one that others
            made; None for our own.
    """

    path: Path
    content: Path | bytes
    sha256: str
    denoise: float | None = None
    adapt: Callable[[AnyRun], Run] | None = None


@dataclass(frozen=True)
class Placed:
    """A network that was loaded at a place, and what the user should know of it."""

    place: Place
    precision: Precision
    run: Run
    notes: tuple[str, ...] = ()

    @property
    def device_of_fp32(self) -> Device:
        """Where the same network runs in fp32; auto could choose yet another device for that."""
        return self.place.choice if "fp32" in self.place.precisions else "cpu"


def placed(model: Model, engine: Engine, device: Device, precision: Precision) -> Placed:
    """Load a network where settings say, or where it is fastest.

    Args:
        model: the network.
        engine: the engine, or auto.
        device: the device, or auto.
        precision: the number format.

    Raises:
        ModelError: the three contradict each other.
        DeviceError: the named device is not here, or cannot run the network.
        MissingExtraError: an engine is not installed.
    """
    if device == "auto":
        others = accelerators(engine, precision)
        if engine == "torch" and others:
            return _named(model, others[0], precision)
        if others:
            return _fastest(model, engine, others, precision)
    if device in ("auto", "cpu"):
        return _on_cpu(model, engine, precision)
    return _named(model, places_of(engine, device, precision)[0], precision)


def loaded(model: Model, place: Place, precision: Precision) -> Run:
    """Load a network at a place.

    Raises:
        DeviceError: the device is not here, or cannot run the network.
        MissingExtraError: the engine is not installed.
    """
    if place.device == "cpu":
        return _opened(model, place, precision, place.names[0])
    name = name_or_refusal(place)
    try:
        run = _opened(model, place, precision, name)
    except DeviceError as error:
        raise DeviceError(f"{error}; it needs {place.needs}", setting="device") from error

    def checked(x: Tensor) -> Tensor:
        try:
            return run(x)
        except Exception as error:  # each engine has its own, of no common base
            reason = (str(error).strip() or type(error).__name__).splitlines()[-1]
            raise DeviceError(
                f"{place} failed while it ran: {reason}; choose `device` cpu", setting="device"
            ) from error

    checked(np.zeros((1, 3, _FIRST_PX, _FIRST_PX), np.float32))
    return checked


def _opened(model: Model, place: Place, precision: Precision, name: str) -> Run:
    run: AnyRun
    if place.engine == "torch":
        run = load_torch(model.path, precision, model.denoise, name)
    elif place.engine == "openvino":
        run = load_openvino(model.content, precision, name)
    else:
        content = float16_model(model.content) if precision == "fp16" else model.content
        run = load_onnxruntime(content, name)
    return run if model.adapt is None else model.adapt(run)


def _on_cpu(model: Model, engine: Engine, precision: Precision) -> Placed:
    place = _cpu_of(model, engine, precision)
    if precision not in place.precisions:
        others = "openvino or torch" if model.adapt is None else "openvino"
        raise ModelError(
            f"onnxruntime computes in fp32 here; for {precision} add `engine` {others}",
            setting="engine",
        )
    try:
        return _named(model, place, precision)
    except MissingExtraError:
        # int8 may be slower than fp32 elsewhere, and it is never better.
        if engine != "auto" or precision == "int8":
            raise
    return _named(model, _cpu("onnxruntime"), precision)


def _cpu_of(model: Model, engine: Engine, precision: Precision) -> Place:
    """Choose the engine for the CPU: auto is the fastest by the model's card, if installed."""
    if engine != "auto":
        return _cpu(engine)
    wanted = fastest_engine(model.path, precision) == "openvino"
    there = precision == "int8" or find_spec("openvino") is not None
    return _cpu("openvino" if wanted and there else "onnxruntime")


def _named(model: Model, place: Place, precision: Precision) -> Placed:
    """Load a network at a place that settings name, and check its numbers against the CPU's."""
    run = loaded(model, place, precision)
    if _is_reference(place, precision):
        return Placed(place, precision, run)
    off_levels = _trial(model, place, precision, run).difference_levels
    off = f"{precision} by {place} differs from fp32 on the CPU by up to {off_levels:g} levels"
    if off_levels <= _MOST_LEVELS:
        silent = precision == "fp32" and off_levels <= _CLOSE_LEVELS
        return Placed(place, precision, run, () if silent else (off,))
    if precision == "fp32" or "fp32" not in place.precisions:
        raise DeviceError(f"{off}; choose `device` cpu", setting="device")
    plain = _named(model, place, "fp32")
    return replace(plain, notes=(f"{off}, so fp32 is used", *plain.notes))


def _fastest(model: Model, engine: Engine, others: list[Place], precision: Precision) -> Placed:
    """Load a network at the fastest of several accelerators and the CPU."""
    tried, notes = _tried(model, others, precision)
    cpu, own = _cpu_of(model, engine, precision), precision
    if precision not in cpu.precisions:
        cpu, own = _cpu_of(model, engine, "fp32"), "fp32"
    if tried:
        on_cpu = _trial(model, cpu, own).megapixels_per_s
        tried = [each for each in tried if each[1].megapixels_per_s >= _CLEARLY_FASTER * on_cpu]
    for place, trial in tried:
        try:
            run = loaded(model, place, precision)
        except DeviceError as error:
            notes.append(_left_out(place, error))
            continue
        taken = (
            f"{model.path.stem} runs by {place} in {precision}: {trial.megapixels_per_s:g} MP/s, "
            f"the CPU {on_cpu:g}, as measured once; single px differ by up to "
            f"{trial.difference_levels:g} levels"
        )
        return Placed(place, precision, run, (*notes, taken))
    plain = _on_cpu(model, engine, own)
    if own != precision:
        notes.append(f"the CPU computes in {own}, not in {precision}")
    return replace(plain, notes=(*notes, *plain.notes))


def _tried(
    model: Model, places: list[Place], precision: Precision
) -> tuple[list[tuple[Place, Trial]], list[str]]:
    """Try places: return those whose numbers are close, the fastest first, and why not others."""
    tried, notes = list[tuple[Place, Trial]](), list[str]()
    most_levels = _CLOSE_LEVELS if precision == "fp32" else _MOST_LEVELS
    for place in places:
        try:
            trial = _trial(model, place, precision)
        except ModelError as error:
            notes.append(_left_out(place, error))
            continue
        if trial.difference_levels > most_levels:
            far = f"its numbers differ by up to {trial.difference_levels:g} levels"
            notes.append(f"{place} is left out, since {far}")
        else:
            tried.append((place, trial))
    return sorted(tried, key=lambda each: -each[1].megapixels_per_s), notes


def _trial(model: Model, place: Place, precision: Precision, run: Run | None = None) -> Trial:
    """Return what a tile showed of a place; it is loaded only where that is not known yet."""

    def measure() -> tuple[float, float]:
        here = run or loaded(model, place, precision)
        if _is_reference(place, precision):
            return speed_of(here), 0.0
        reference = loaded(model, _cpu("onnxruntime"), "fp32")
        return speed_of(here), difference_levels(here, reference)

    return kept_trial(place, precision, model.sha256, measure)


def _is_reference(place: Place, precision: Precision) -> bool:
    """Say whether numbers are the reference, or, of int8, were compared when it was exported."""
    return place.device == "cpu" and precision in ("fp32", "int8")


def _cpu(engine: str) -> Place:
    return next(place for place in PLACES if (place.engine, place.device) == (engine, "cpu"))


def _left_out(place: Place, error: ClearzoomError) -> str:
    why = error.worded(lambda name: name)
    return f"{place} is left out: {why}; to leave it alone, choose the device cpu"
