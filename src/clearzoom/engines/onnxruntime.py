"""Run a network with onnxruntime, on the CPU or on a device of one of its execution providers."""

import io
import os
import threading
from collections.abc import Callable
from contextlib import redirect_stdout, suppress
from pathlib import Path
from typing import Any

import onnxruntime

from clearzoom.core.arrays import Tensor
from clearzoom.errors import DeviceError, WeightsError

CPU = "CPUExecutionProvider"

# Each of these would make the numbers depend on the run or on other programs, or less exact.
_OPTIONS: dict[str, dict[str, str]] = {
    "CUDAExecutionProvider": {
        "use_tf32": "0",  # its products have 10 bits of 23
        "cudnn_conv_algo_search": "HEURISTIC",  # else the fastest of a race, another in each run
        "arena_extend_strategy": "kSameAsRequested",  # else it takes twice as much memory each time
    },
    "CoreMLExecutionProvider": {"ModelFormat": "MLProgram"},  # the older format computes in fp16
}

_QUIET, _USUAL = 4, 2
"""Severities of onnxruntime's log: fatal faults, and from warnings on."""


def load_onnxruntime(model: Path | bytes, provider: str = CPU) -> Callable[[Tensor], Tensor]:
    """Load an ONNX file with one input and one output, computing in the file's precision.

    Args:
        model: the path of an .onnx file, or its content.
        provider: the execution provider; what it cannot run, the CPU does.

    Returns:
        A function from (1, 3, H, W) float32 to (1, 3, scale * H, scale * W) float32, which threads
        may share.

    Raises:
        WeightsError: the file is damaged, or no ONNX.
        DeviceError: onnxruntime cannot use the provider on this machine.
    """
    session = _session(model) if provider == CPU else _session_on(provider, model)
    name = session.get_inputs()[0].name

    def run(x: Tensor) -> Tensor:
        y: Tensor = session.run(None, {name: x})[0]
        return y

    if provider == CPU:
        return run
    one = threading.Lock()  # DirectML allows one run at a time, and no device is faster with two

    def run_alone(x: Tensor) -> Tensor:
        with one:
            return run(x)

    return run_alone


def _session(model: Path | bytes) -> onnxruntime.InferenceSession:
    options = _session_options()
    # By itself it takes all cores of the machine. Ray and job schedulers state a share in this way.
    threads = os.environ.get("OMP_NUM_THREADS", "")
    if threads.isdecimal():
        options.intra_op_num_threads = int(threads)
    try:
        return onnxruntime.InferenceSession(model, options, providers=[CPU])
    except Exception as error:  # its exceptions share no public base
        reason = str(error).splitlines()[0]
        name = model if isinstance(model, Path) else "the model"
        raise WeightsError(f"{name} is damaged or no ONNX file: {reason}") from error


def _session_on(provider: str, model: Path | bytes) -> onnxruntime.InferenceSession:
    options = _session_options()
    options.use_deterministic_compute = True
    if provider == "DmlExecutionProvider":  # it refuses both otherwise
        options.enable_mem_pattern = False
        options.execution_mode = onnxruntime.ExecutionMode.ORT_SEQUENTIAL
    onnxruntime.set_default_logger_severity(_QUIET)  # it would print pages; ours is one line
    try:
        if provider == "CUDAExecutionProvider":
            _load_cuda()
        session = onnxruntime.InferenceSession(
            model,
            options,
            providers=[(provider, _OPTIONS.get(provider, {})), CPU],
            # By itself it goes on with the CPU, silently, and the bytes would be mixed.
            enable_fallback=False,
        )
    except Exception as error:
        raise DeviceError(
            f"onnxruntime cannot use its {provider}: {str(error).splitlines()[0]}",
            setting="device",
        ) from error
    finally:
        onnxruntime.set_default_logger_severity(_USUAL)
    if provider not in session.get_providers():
        raise DeviceError(f"onnxruntime cannot start its {provider} here", setting="device")
    return session


def _session_options() -> Any:
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    return options


def _load_cuda() -> None:
    """Load CUDA and cuDNN from the packages of pip, where onnxruntime does not look by itself."""
    with suppress(AttributeError), redirect_stdout(io.StringIO()):  # since onnxruntime 1.21
        onnxruntime.preload_dlls()
