"""Run a network with OpenVINO on the CPU, where the extra [openvino] is installed."""

import os
import threading
from collections.abc import Callable
from pathlib import Path

import numpy as np

from clearzoom.core.arrays import Tensor
from clearzoom.engines import Precision
from clearzoom.errors import MissingExtraError

# An int8 file says itself which of its operations are int8.
_HINTS = {"fp32": "f32", "int8": "f32", "fp16": "f16", "bf16": "bf16"}


_FIRST = threading.Lock()


def load_openvino(model: Path | bytes, precision: Precision = "fp32") -> Callable[[Tensor], Tensor]:
    """Load an ONNX file with one input and one output.

    Args:
        model: the path of an .onnx file, or its content.
        precision: the precision of the convolutions; where the CPU lacks it, OpenVINO computes in
            fp32.

    Returns:
        A function from (1, 3, H, W) float32 to (1, 3, scale * H, scale * W) float32, which threads
        may share.

    Raises:
        MissingExtraError: OpenVINO is not installed.
    """
    try:
        import openvino
    except ImportError as error:
        raise MissingExtraError("OpenVINO", "openvino") from error
    # By itself it would choose bf16 where the CPU has it.
    hint = {"INFERENCE_PRECISION_HINT": _HINTS[precision]}
    threads = os.environ.get("OMP_NUM_THREADS", "")
    if threads.isdecimal():  # see load_onnxruntime
        hint["INFERENCE_NUM_THREADS"] = threads
    core = openvino.Core()
    compiled = core.compile_model(core.read_model(model), "CPU", hint)
    with _FIRST:
        # Its binding gets to know numpy at the first use. Two threads that do that at once, as the
        # first two tiles would, can wait for each other for ever.
        _ = openvino.Tensor(np.zeros(1, np.float32)).data
    own = threading.local()  # a request serves one thread at a time

    def run(x: Tensor) -> Tensor:
        if not hasattr(own, "request"):
            own.request = compiled.create_infer_request()
        y: Tensor = own.request.infer([x])[0].copy()
        return y

    return run
