"""A device's name, its rate for matrix products, and a network's speed on it."""

import statistics
import time
from functools import cache
from pathlib import Path
from typing import Literal

import numpy as np
import torch

from clearzoom.engines.machine import cpu_words
from clearzoom.engines.onnxruntime import load_onnxruntime
from clearzoom.engines.openvino import load_openvino
from clearzoom.errors import MissingExtraError
from clearzoom.weights.card import Speed

_SIDE_PX, _RUNS = 256, 5


def device_words(device: torch.device) -> str:
    """Name a device for the card, e.g. "2 cores of AMD EPYC"."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    return cpu_words()


@cache
def matrix_rate_gflops(device: torch.device, precision: Literal["fp32", "bf16"]) -> float:
    """Measure the rate of a large matrix product in GFLOP/s, the best of four runs.

    It takes about a second, so a process measures once.

    Args:
        device: the device to measure.
        precision: of the factors and of the product.
    """
    side = 4096 if device.type == "cuda" else 2048  # the CPU's training waits for this
    kind = torch.bfloat16 if precision == "bf16" else torch.float32
    a = torch.randn(side, side, device=device, dtype=kind)
    seconds = []
    for _ in range(4):
        began = time.perf_counter()
        (a @ a)[0, 0].item()
        seconds.append(time.perf_counter() - began)
    return 2 * side**3 / min(seconds) / 1e9


def measure_speed(path: Path, scale: int, precision: str = "fp32") -> list[Speed]:
    """Time one 256x256 px input with each installed CPU engine.

    Args:
        path: the network, .onnx.
        scale: its enlargement.
        precision: the file's precision, stated in the rows.

    Returns:
        For each engine the median of five runs, seconds for each output megapixel.
    """
    x = np.random.default_rng(0).random((1, 3, _SIDE_PX, _SIDE_PX), dtype=np.float32) - 0.5
    megapixels = (_SIDE_PX * scale) ** 2 / 1e6
    device = device_words(torch.device("cpu"))
    rows = []
    for engine, load in (("onnxruntime", load_onnxruntime), ("openvino", load_openvino)):
        try:
            run = load(path)
        except MissingExtraError:
            continue
        run(x)
        seconds = []
        for _ in range(_RUNS):
            began = time.perf_counter()
            run(x)
            seconds.append(time.perf_counter() - began)
        per_megapixel = round(statistics.median(seconds) / megapixels, 4)
        rows.append(
            Speed(
                engine=engine,
                precision=precision,
                seconds_per_output_mp=per_megapixel,
                device=device,
            )
        )
    return rows
