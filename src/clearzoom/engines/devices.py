"""The places where networks can run, each an engine on a device: which are here, what others need.

onnxruntime's execution providers and OpenVINO's devices are asked; torch is imported only where a
person names it, because that takes seconds.
"""

import importlib
import sys
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal

from clearzoom.engines import Device, Engine, Precision
from clearzoom.errors import DeviceError, MissingExtraError, ModelError

_ALL: tuple[Precision, ...] = ("fp32", "fp16", "bf16", "int8")
_FLOATS: tuple[Precision, ...] = ("fp32", "fp16", "bf16")

_NVIDIA = "an NVIDIA GPU with its driver"
_AMD = "an AMD GPU with ROCm"


@dataclass(frozen=True)
class Place:
    """An engine on a device.

    Attributes:
        engine: the engine.
        device: the device; ``cpu`` also where a person names it ``openvino-cpu``.
        names: the engine's own names of the device, the best first.
        precisions: the number formats in which the engine computes there.
        needs: what must be there, and how to install it.
    """

    engine: Literal["onnxruntime", "openvino", "torch"]
    device: Device
    names: tuple[str, ...]
    precisions: tuple[Precision, ...]
    needs: str = ""

    def __str__(self) -> str:
        """Name the place, as provenance and notes do: ``onnxruntime cuda``."""
        part = self.device.removeprefix("openvino-")
        return self.engine if part == "cpu" else f"{self.engine} {part}"

    @property
    def choice(self) -> Device:
        """The value of the setting ``device`` that names this place."""
        return "openvino-cpu" if str(self) == "openvino" else self.device


PLACES = (
    Place("onnxruntime", "cpu", ("CPUExecutionProvider",), ("fp32", "int8")),
    Place("openvino", "cpu", ("CPU",), _ALL),
    Place("torch", "cpu", ("cpu",), _FLOATS),
    Place(
        "onnxruntime",
        "cuda",
        ("CUDAExecutionProvider",),
        ("fp32", "fp16"),
        f"{_NVIDIA}, and onnxruntime-gpu with CUDA and cuDNN in place of onnxruntime: pip uninstall"
        " onnxruntime; pip install 'onnxruntime-gpu[cuda,cudnn]'",
    ),
    Place("torch", "cuda", ("cuda",), _FLOATS, f"{_NVIDIA}, and PyTorch for CUDA"),
    Place(
        "onnxruntime",
        "rocm",
        ("MIGraphXExecutionProvider", "ROCMExecutionProvider"),
        ("fp32", "fp16"),
        f"{_AMD}, and onnxruntime-migraphx in place of onnxruntime: pip uninstall onnxruntime; "
        "pip install onnxruntime-migraphx",
    ),
    Place("torch", "rocm", ("cuda",), _FLOATS, f"{_AMD}, and PyTorch for ROCm"),
    Place(
        "onnxruntime",
        "directml",
        ("DmlExecutionProvider",),
        ("fp32", "fp16"),
        "Windows, and onnxruntime-directml in place of onnxruntime: pip uninstall onnxruntime; "
        "pip install onnxruntime-directml",
    ),
    Place(
        "onnxruntime",
        "coreml",
        ("CoreMLExecutionProvider",),
        ("fp32",),
        "macOS, where onnxruntime has it: pip install onnxruntime",
    ),
    Place("torch", "mps", ("mps",), _FLOATS, "a Mac with an Apple GPU"),
    Place(
        "openvino",
        "openvino-gpu",
        ("GPU",),
        ("fp32", "fp16"),
        "an Intel GPU with its driver for OpenCL",
    ),
    Place(
        "openvino",
        "openvino-npu",
        ("NPU",),
        ("fp16",),
        "an Intel NPU with its driver",
    ),
)
"""All places. Where two run one device, the first is taken unless an engine is named."""

_EXTRAS = (("openvino", "OpenVINO", "openvino"), ("torch", "the engine torch", "train"))
"""An engine that is an optional part, its name in words, and its extra."""

_NOT_BY_ITSELF = ("openvino-npu",)
"""A network is compiled for each size there, which takes too long to be tried unasked."""


def places_of(engine: Engine, device: Device, precision: Precision) -> list[Place]:
    """List the places that settings name, whether they are here or not.

    Args:
        engine: of the settings; auto leaves it open.
        device: of the settings, but not auto.
        precision: of the settings.

    Raises:
        ModelError: the three contradict each other.

    Example:
        >>> [str(place) for place in places_of("auto", "cuda", "bf16")]
        ['torch cuda']
    """
    named = [place for place in PLACES if device in (place.device, place.choice)]
    of_engine = [place for place in named if engine in ("auto", place.engine)]
    if not of_engine:
        theirs = dict.fromkeys(place.choice for place in PLACES if place.engine == engine)
        raise ModelError(
            f"`device` {device} is none of {engine}, which has {', '.join(theirs)}; leave `engine` "
            f"out, or `device`",
            setting="device",
        )
    suited = [place for place in of_engine if precision in place.precisions]
    if not suited:
        theirs_too = dict.fromkeys(each for place in of_engine for each in place.precisions)
        raise ModelError(
            f"{of_engine[0]} computes in {' or '.join(theirs_too)}, not in {precision}; choose "
            "another `precision`, or leave `device` out",
            setting="precision",
        )
    return suited


def accelerators(engine: Engine, precision: Precision) -> list[Place]:
    """List the places beside the CPU that are here, for the device auto.

    Args:
        engine: auto lists those of onnxruntime and OpenVINO; the first device of torch is enough.
        precision: only places that compute in it are listed.
    """
    found = []
    for place in PLACES:
        asked = engine == place.engine or (engine == "auto" and place.engine != "torch")
        if not asked or place.device == "cpu" or place.device in _NOT_BY_ITSELF:
            continue
        if precision in place.precisions and name_of(place) is not None:
            found.append(place)
    return found[:1] if engine == "torch" else found


def name_of(place: Place) -> str | None:
    """Return the engine's name of a device, or None where it is not here.

    Args:
        place: its engine is imported, except OpenVINO where this machine has no GPU for it.
    """
    there = _names_of(place)
    return next((name for name in place.names if name in there), None)


def name_or_refusal(place: Place) -> str:
    """Return the engine's name of a device that a person asked for.

    Raises:
        MissingExtraError: its engine is not installed.
        DeviceError: it is not here; the message names what is, and what to install.
    """
    name = name_of(place)
    if name is not None:
        return name
    for engine, what, extra in _EXTRAS:
        if place.engine == engine and find_spec(engine) is None:
            raise MissingExtraError(what, extra)
    here = dict.fromkeys(each.choice for each in PLACES if _is_quick(each) and name_of(each))
    raise DeviceError(
        f"`device` {place.choice} is not here; there is: {', '.join(here)}. It needs {place.needs}",
        setting="device",
    )


def full_name(place: Place) -> str:
    """Return how the engine describes a device that is here; empty where it does not."""
    if place.engine != "openvino":
        return ""
    with suppress(ImportError, RuntimeError):
        core = importlib.import_module("openvino").Core()
        return str(core.get_property(name_of(place), "FULL_DEVICE_NAME"))
    return ""


def version_of(engine: str) -> str:
    """Return the version of an engine, which is imported.

    Not that of its distribution: onnxruntime has several, and each has the same module.
    """
    return str(importlib.import_module(engine).__version__)


def _is_quick(place: Place) -> bool:
    return place.engine != "torch" or "torch" in sys.modules


def _names_of(place: Place) -> Sequence[str]:
    if place.engine == "onnxruntime":
        providers: list[str] = importlib.import_module("onnxruntime").get_available_providers()
        return providers
    if place.engine == "openvino":
        return _of_openvino(place)
    return _of_torch(place)


def _of_openvino(place: Place) -> Sequence[str]:
    if find_spec("openvino") is None:
        return ()
    if place.device == "cpu":
        return ("CPU",)  # always there; asking would import it
    if place.device == "openvino-gpu" and not may_have_gpu():
        return ()
    try:
        devices = importlib.import_module("openvino").Core().available_devices
    except Exception:  # a broken installation has no devices; ``clearzoom doctor`` says why
        return ()
    return [name.partition(".")[0] for name in devices]  # GPU.0 and GPU.1; GPU is the first


def may_have_gpu() -> bool:
    """Return whether OpenVINO can find a GPU here, without importing it."""
    if sys.platform == "darwin":
        return False
    if sys.platform != "linux":
        return True
    return bool(list(Path("/dev/dri").glob("renderD*"))) or Path("/dev/dxg").exists()


def _of_torch(place: Place) -> Sequence[str]:
    if find_spec("torch") is None:
        return ()
    torch: Any = importlib.import_module("torch")
    names = ["cpu"]
    if torch.cuda.is_available() and (torch.version.hip is not None) == (place.device == "rocm"):
        names.append("cuda")
    if torch.backends.mps.is_available():
        names.append("mps")
    return names
