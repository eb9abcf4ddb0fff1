"""Timing shared by the benchmarks: medians, and the machine's own rate in the same run."""

import statistics
import time
from collections.abc import Callable

import numpy as np

from clearzoom.core.process_memory import peak_bytes


def median_s(work: Callable[[], object], runs: int) -> float:
    """Time work after one warm-up; the median of so many runs, in seconds."""
    work()
    seconds = []
    for _ in range(runs):
        began = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - began)
    return statistics.median(seconds)


def peak_mib() -> float:
    """Peak resident memory of this process in MiB (getrusage's is inherited from the parent)."""
    return peak_bytes() / 2**20


def matrix_gflops(side: int = 4096) -> float:
    """The better of torch's and numpy's fp32 matrix product on all cores, in GFLOP/s."""
    import torch  # not above: rows that measure memory do without it

    a = np.random.default_rng(0).standard_normal((side, side), dtype=np.float32)
    b = torch.from_numpy(a)
    fastest = min(median_s(lambda: a @ a, 3), median_s(lambda: b @ b, 3))
    return 2 * side**3 / fastest / 1e9
