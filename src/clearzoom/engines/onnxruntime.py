"""Run a network with onnxruntime on the CPU."""

import os
from collections.abc import Callable
from pathlib import Path

import onnxruntime

from clearzoom.core.arrays import Tensor
from clearzoom.errors import WeightsError


def load_onnxruntime(model: Path | bytes) -> Callable[[Tensor], Tensor]:
    """Load an ONNX file with one input and one output, computing in fp32.

    Args:
        model: the path of an .onnx file, or its content.

    Returns:
        A function from (1, 3, H, W) float32 to (1, 3, scale * H, scale * W) float32, which threads
        may share.

    Raises:
        WeightsError: the file is damaged, or no ONNX.
    """
    session = _session(model)
    name = session.get_inputs()[0].name

    def run(x: Tensor) -> Tensor:
        y: Tensor = session.run(None, {name: x})[0]
        return y

    return run


def _session(model: Path | bytes) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    # By itself it takes all cores of the machine. Ray and job schedulers state a share in this way.
    threads = os.environ.get("OMP_NUM_THREADS", "")
    if threads.isdecimal():
        options.intra_op_num_threads = int(threads)
    try:
        return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # its exceptions share no public base
        reason = str(error).splitlines()[0]
        name = model if isinstance(model, Path) else "the model"
        raise WeightsError(f"{name} is damaged or no ONNX file: {reason}") from error
