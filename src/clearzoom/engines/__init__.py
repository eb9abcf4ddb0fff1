"""Run a network on an array."""

from typing import Literal

Engine = Literal["auto", "onnxruntime", "openvino", "torch"]
Precision = Literal["fp32", "fp16", "bf16", "int8"]
Device = Literal[
    "auto",
    "cpu",
    "cuda",
    "rocm",
    "directml",
    "coreml",
    "mps",
    "openvino-cpu",
    "openvino-gpu",
    "openvino-npu",
]
