"""The device that trains: its name and its rate."""

import os
import platform
import time
from functools import cache
from pathlib import Path

import torch


def device_words(device: torch.device) -> str:
    """Name a device for cards, e.g. "2 cores of AMD EPYC"."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.is_file() else []
    names = [line.split(":")[1].strip() for line in lines if line.startswith("model name")]
    return f"{os.cpu_count()} cores of {names[0] if names else platform.machine()}"


@cache
def matrix_rate_gflops(device: torch.device) -> float:
    """Measure the matrix product's rate, best of four, in GFLOP/s: fp32, on CUDA bf16.

    It takes about a second, so it is measured once in a process.

    Args:
        device: to measure.
    """
    side = 4096 if device.type == "cuda" else 2048  # the CPU's training waits for this
    kind = torch.bfloat16 if device.type == "cuda" else torch.float32
    a = torch.randn(side, side, device=device, dtype=kind)
    seconds = []
    for _ in range(4):
        began = time.perf_counter()
        (a @ a)[0, 0].item()
        seconds.append(time.perf_counter() - began)
    return 2 * side**3 / min(seconds) / 1e9
