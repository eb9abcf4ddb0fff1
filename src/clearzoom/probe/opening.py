"""Open an ONNX file that others made: one picture in, one out, and nothing of other folders."""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import onnxruntime

from clearzoom.engines.adapted import AnyRun
from clearzoom.engines.protobuf import fields
from clearzoom.errors import MissingFileError, ModelError, WeightsError

_DTYPES: dict[str, Literal["float16", "float32", "float64"]] = {
    "tensor(float16)": "float16",
    "tensor(float)": "float32",
    "tensor(double)": "float64",
}
_FATAL_ONLY = 4

_INNER = {
    "model": {7: "graph", 25: "function"},
    "graph": {1: "node", 5: "tensor", 15: "sparse"},
    "function": {7: "node"},
    "node": {5: "attribute"},
    "attribute": {5: "tensor", 6: "graph", 10: "tensor", 11: "graph", 22: "sparse", 23: "sparse"},
    "sparse": {1: "tensor", 2: "tensor"},
    "tensor": {13: "entry"},
}
"""Of onnx.proto3: the fields in which a tensor can lie, by the message that they stand in."""


@dataclass(frozen=True)
class Opened:
    """A network of others, ready to be run.

    ``content``: of its file, with all weights inside. ``fixed_px``: (height, width), None where the
    file leaves it free. ``run`` takes and gives (1, channels, H, W) of ``dtype``.
    """

    content: bytes
    channels: Literal[1, 3]
    dtype: Literal["float16", "float32", "float64"]
    fixed_px: tuple[int | None, int | None]
    run: AnyRun


def open_network(path: Path) -> Opened:
    """Open an ONNX file.

    Raises:
        MissingFileError: it is not there.
        WeightsError: damaged, no ONNX, with operations that onnxruntime does not have, or with
            weights in a file that is missing or in another folder.
        ModelError: not one picture in and one out, NCHW, of floats.
    """
    if not path.is_file():
        raise MissingFileError(f"no file {path}; check the name")
    content = path.read_bytes()
    beside = external_files(content)
    for name in sorted(beside):
        _check_beside(path, name)
    session = _session(path, content if not beside else None)
    inputs, outputs = session.get_inputs(), session.get_outputs()
    if len(inputs) != 1 or len(outputs) != 1:
        names = ", ".join(each.name for each in inputs)
        raise ModelError(
            f"{path.name} has {len(inputs)} inputs ({names}) and {len(outputs)} outputs; "
            "an enlarging network has one of each"
        )
    given, name = inputs[0], inputs[0].name
    if given.type not in _DTYPES or outputs[0].type not in _DTYPES:
        raise ModelError(
            f"{path.name} takes {given.type} and gives {outputs[0].type}; only floats of 16, 32 or "
            "64 bit can be used"
        )
    shape = list(given.shape)
    if len(shape) != 4 or (_known(shape[1]) not in (None, 1, 3)):
        last = len(shape) == 4 and shape[3] in (1, 3)
        raise ModelError(
            f"{path.name} takes {_words(shape)}, not N x C x H x W with 1 or 3 channels"
            + ("; its channels stand last: export it with channels first" if last else "")
        )
    if _known(shape[0]) not in (None, 1):
        raise ModelError(f"{path.name} takes {shape[0]} pictures at once; export it for one")
    dtype = _DTYPES[given.type]
    quiet = onnxruntime.RunOptions()
    quiet.log_severity_level = _FATAL_ONLY

    def run(x: npt.NDArray[Any]) -> npt.NDArray[Any]:
        y: npt.NDArray[Any] = session.run(None, {name: x}, quiet)[0]
        return y

    fixed = (_known(shape[2]), _known(shape[3]))
    channels = _known(shape[1]) or _channels(run, dtype, fixed)
    return Opened(content if not beside else _whole(path), channels, dtype, fixed, run)  # type: ignore[arg-type]


def external_files(model: bytes) -> set[str]:
    """Name the files beside an ONNX file in which it keeps weights.

    Args:
        model: the file.

    Raises:
        WeightsError: no protobuf, or damaged.
    """
    found = set()
    for entry in _entries(model, (0, len(model)), "model"):
        parts = {number: model[start:stop] for number, (start, stop) in fields(model, entry)}
        if parts.get(1) == b"location":
            found.add(parts.get(2, b"").decode("utf-8", "replace"))
    return found


def _entries(model: bytes, where: tuple[int, int], kind: str) -> Iterator[tuple[int, int]]:
    if kind == "entry":
        yield where
        return
    for number, inner in fields(model, where):
        if number in _INNER[kind]:
            yield from _entries(model, inner, _INNER[kind][number])


def _check_beside(path: Path, name: str) -> None:
    folder = path.parent.resolve()
    place = (folder / name).resolve()
    if Path(name).is_absolute() or not place.is_relative_to(folder):
        raise WeightsError(f"{path.name} wants weights from {name}, which is not in its own folder")
    if not place.is_file():
        raise WeightsError(f"{path.name} keeps weights in {name}, which is missing beside it")


def _session(path: Path, content: bytes | None, save: Path | None = None) -> Any:
    options = onnxruntime.SessionOptions()
    options.log_severity_level = _FATAL_ONLY
    if save is not None:
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
        options.optimized_model_filepath = str(save)
    try:
        return onnxruntime.InferenceSession(
            str(path) if content is None else content, options, providers=["CPUExecutionProvider"]
        )
    except Exception as error:  # its exceptions share no public base
        reason = str(error).splitlines()[0]
        raise WeightsError(f"{path.name} cannot be loaded by onnxruntime: {reason}") from error


def _whole(path: Path) -> bytes:
    """The file with the weights inside that it keeps beside it."""
    with TemporaryDirectory() as scratch:
        whole = Path(scratch) / "whole.onnx"
        _session(path, None, whole)
        content = whole.read_bytes()
    if external_files(content):
        raise WeightsError(f"{path.name} does not fit into one file; export a smaller network")
    return content


def _channels(run: AnyRun, dtype: str, fixed: tuple[int | None, int | None]) -> Literal[1, 3]:
    """Of a file that does not say how many it takes."""
    height, width = (side or 64 for side in fixed)
    try:
        run(np.zeros((1, 3, height, width), dtype))
    except Exception:  # said later, by what measures sizes
        return 1
    return 3


def _known(length: Any) -> int | None:
    return length if isinstance(length, int) and length > 0 else None


def _words(shape: list[Any]) -> str:
    return " x ".join(str(side) if _known(side) else "?" for side in shape) or "no shape"


def fails(run: Callable[[], npt.NDArray[Any]]) -> tuple[npt.NDArray[Any] | None, str]:
    """Run a network that may refuse; give its result, or None and its reason."""
    try:
        y = run()
    except Exception as error:  # onnxruntime's exceptions share no public base
        return None, str(error).splitlines()[0]
    if not isinstance(y, np.ndarray) or not math.prod(y.shape):
        return None, "it gave nothing"
    return y, ""
