"""Open a foreign ONNX file with one picture in, one out, and no files of other folders."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, cast

import numpy as np
import numpy.typing as npt
import onnxruntime

from clearzoom.engines.foreign import AnyRun
from clearzoom.errors import MissingFileError, ModelError, WeightsError
from clearzoom.probe.external import with_weights_inside

_DTYPES: dict[str, Literal["float16", "float32", "float64"]] = {
    "tensor(float16)": "float16",
    "tensor(float)": "float32",
    "tensor(double)": "float64",
}
_FATAL_ONLY = 4


@dataclass(frozen=True)
class Opened:
    """A foreign network, ready to run.

    ``content`` is that of its file, with all weights inside. ``fixed_px`` is (height, width), None
    where the file leaves a side free. ``run`` maps (1, channels, H, W) of ``dtype`` to such arrays.
    """

    content: bytes
    channels: Literal[1, 3]
    dtype: Literal["float16", "float32", "float64"]
    fixed_px: tuple[int | None, int | None]
    run: AnyRun


def open_network(path: Path, guarded: Callable[[AnyRun], AnyRun] = lambda run: run) -> Opened:
    """Open an ONNX file.

    Args:
        path: the .onnx file.
        guarded: a wrapper of the network's run, which reports each run before it starts.

    Raises:
        MissingFileError: the file does not exist.
        WeightsError: the file is damaged or not ONNX, has operations that onnxruntime lacks, or has
            weights in a file that is missing or in another folder.
        ModelError: the network does not map one picture to one picture, NCHW, of floats.
    """
    if not path.is_file():
        raise MissingFileError(f"no file {path}; check the name")
    content = with_weights_inside(path)
    session = _session(path.name, content)
    inputs, outputs = session.get_inputs(), session.get_outputs()
    if len(inputs) != 1 or len(outputs) != 1:
        names = ", ".join(each.name for each in inputs)
        raise ModelError(
            f"{path.name} has {len(inputs)} inputs ({names}) and {len(outputs)} outputs; "
            "an enlarging network has one of each"
        )
    lr, name = inputs[0], inputs[0].name
    if lr.type not in _DTYPES or outputs[0].type not in _DTYPES:
        raise ModelError(
            f"{path.name} takes {lr.type} and gives {outputs[0].type}; only floats of 16, 32 or "
            "64 bit can be used"
        )
    shape = list(lr.shape)
    last = len(shape) == 4 and shape[3] in (1, 3) and _known(shape[1]) not in (1, 3)
    if len(shape) != 4 or last or _known(shape[1]) not in (None, 1, 3):
        raise ModelError(
            f"{path.name} takes {_words(shape)}, not N x C x H x W with 1 or 3 channels"
            + ("; its channels stand last: export it with channels first" if last else "")
        )
    if _known(shape[0]) not in (None, 1):
        raise ModelError(f"{path.name} takes {shape[0]} pictures at once; export it for one")
    dtype = _DTYPES[lr.type]
    quiet = onnxruntime.RunOptions()
    quiet.log_severity_level = _FATAL_ONLY

    def plain(x: npt.NDArray[Any]) -> npt.NDArray[Any]:
        y: npt.NDArray[Any] = session.run(None, {name: x}, quiet)[0]
        return y

    run = _with_errors_of_ours(guarded(plain))
    fixed = (_known(shape[2]), _known(shape[3]))
    stated = _known(shape[1])
    channels = _channels(run, dtype, fixed) if stated is None else cast(Literal[1, 3], stated)
    return Opened(content, channels, dtype, fixed, run)


def _with_errors_of_ours(run: AnyRun) -> AnyRun:
    """Turn the errors of a run into one that says at which size it failed."""

    def checked(x: npt.NDArray[Any]) -> npt.NDArray[Any]:
        try:
            return run(x)
        except ModelError:
            raise
        except Exception as error:  # onnxruntime's exceptions share no public base
            reason = (str(error).splitlines() or [type(error).__name__])[0]
            size = f"{x.shape[3]}x{x.shape[2]}"
            raise ModelError(f"it does not run at {size} px: {reason:.200}") from error

    return checked


def _session(name: str, content: bytes) -> Any:
    options = onnxruntime.SessionOptions()
    options.log_severity_level = _FATAL_ONLY
    try:
        return onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # its exceptions share no public base
        reason = str(error).splitlines()[0]
        raise WeightsError(f"{name} cannot be loaded by onnxruntime: {reason}") from error


def _channels(run: AnyRun, dtype: str, fixed: tuple[int | None, int | None]) -> Literal[1, 3]:
    """Find the number of channels of a file that does not state it."""
    height, width = (side or 64 for side in fixed)
    try:
        run(np.zeros((1, 3, height, width), dtype))
    except Exception:  # reported later, when sizes are measured
        return 1
    return 3


def _known(length: Any) -> int | None:
    return length if isinstance(length, int) and length > 0 else None


def _words(shape: list[Any]) -> str:
    return " x ".join(str(side) if _known(side) else "?" for side in shape) or "no shape"


def fails(run: Callable[[], npt.NDArray[Any]]) -> tuple[npt.NDArray[Any] | None, str]:
    """Run a network that may fail; return its result, or None and the reason."""
    try:
        y = run()
    except Exception as error:  # onnxruntime's exceptions share no public base
        return None, str(error).splitlines()[0]
    if not isinstance(y, np.ndarray) or not math.prod(y.shape):
        return None, "it gave nothing"
    return y, ""
