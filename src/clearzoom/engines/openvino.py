"""Run a network with OpenVINO, where the extra [openvino] is installed."""

import os
import threading
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from clearzoom.core.arrays import Tensor
from clearzoom.engines import Precision
from clearzoom.errors import DeviceError, MissingExtraError

# An int8 file says itself which of its operations are int8.
_HINTS = {"fp32": "f32", "int8": "f32", "fp16": "f16", "bf16": "bf16"}

_FIXED_SIZES = ("NPU",)
"""Devices that run a network only for a size that is known when it is compiled."""

_FIRST = threading.Lock()


def load_openvino(
    model: Path | bytes, precision: Precision = "fp32", device: str = "CPU"
) -> Callable[[Tensor], Tensor]:
    """Load an ONNX file with one input and one output.

    Args:
        model: the path of an .onnx file, or its content.
        precision: the precision of the convolutions; where the CPU lacks it, OpenVINO computes in
            fp32.
        device: OpenVINO's name of a device: CPU, GPU or NPU.

    Returns:
        A function from (1, 3, H, W) float32 to (1, 3, scale * H, scale * W) float32, which threads
        may share.

    Raises:
        MissingExtraError: OpenVINO is not installed.
        DeviceError: OpenVINO cannot use a device other than the CPU.
    """
    try:
        import openvino
    except ImportError as error:
        raise MissingExtraError("OpenVINO", "openvino") from error
    # By itself it would choose bf16 where the CPU has it, and fp16 on a GPU.
    hint = {"INFERENCE_PRECISION_HINT": _HINTS[precision]}
    threads = os.environ.get("OMP_NUM_THREADS", "")
    if threads.isdecimal() and device == "CPU":  # see load_onnxruntime
        hint["INFERENCE_NUM_THREADS"] = threads
    core = openvino.Core()

    @cache
    def compiled(shape: tuple[int, ...] | None) -> Any:
        read = core.read_model(model)
        if shape is not None:
            read.reshape(shape)
        return core.compile_model(read, device, hint)

    if device not in _FIXED_SIZES:
        try:
            compiled(None)
        except RuntimeError as error:
            if device == "CPU":
                raise
            reason = str(error).strip().splitlines()[-1]
            raise DeviceError(
                f"OpenVINO cannot use its {device}: {reason}", setting="device"
            ) from error
    with _FIRST:
        # Its binding gets to know numpy at the first use. Two threads that do that at once, as the
        # first two tiles would, can wait for each other for ever.
        _ = openvino.Tensor(np.zeros(1, np.float32)).data
    own = threading.local()  # a request serves one thread at a time

    def run(x: Tensor) -> Tensor:
        shape = x.shape if device in _FIXED_SIZES else None
        if getattr(own, "shape", ()) != shape:
            own.request = compiled(shape).create_infer_request()
            own.shape = shape
        y: Tensor = own.request.infer([x])[0].copy()
        return y

    return run
