"""Run a network with onnxruntime on the CPU."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt
import onnxruntime

from clearzoom.errors import WeightsError

Tensor = npt.NDArray[np.float32]


def load_onnxruntime(path: Path) -> tuple[Callable[[Tensor], Tensor], dict[str, str]]:
    """Load an ONNX file with one input and one output.

    Args:
        path: .onnx.

    Returns:
        A function from (1, 3, H, W) float32 to (1, 3, scale * H, scale * W) float32, and the
        file's own notes.

    Raises:
        WeightsError: damaged, or no ONNX.
    """
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    try:
        session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # its exceptions share no public base
        reason = str(error).splitlines()[0]
        raise WeightsError(f"{path} is damaged or no ONNX file: {reason}") from error
    name = session.get_inputs()[0].name

    def run(x: Tensor) -> Tensor:
        y: Tensor = session.run(None, {name: x})[0]
        return y

    return run, dict(session.get_modelmeta().custom_metadata_map)
