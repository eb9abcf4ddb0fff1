"""Keep freed memory in the process while training on a CPU."""

import ctypes
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from clearzoom.core.process_memory import give_back

_M_TRIM_THRESHOLD, _M_TOP_PAD, _M_MMAP_THRESHOLD, _M_MMAP_MAX = -1, -2, -3, -4
_KEPT = {_M_MMAP_MAX: 0, _M_TRIM_THRESHOLD: 2**31 - 1, _M_TOP_PAD: 2**28}
# glibc starts with lower thresholds and raises them up to these; once set they stay as they are.
_USUAL = {
    _M_MMAP_MAX: 2**16,
    _M_MMAP_THRESHOLD: 2**25,
    _M_TRIM_THRESHOLD: 2**26,
    _M_TOP_PAD: 2**17,
}


@contextmanager
def freed_memory_kept() -> Iterator[None]:
    """Have glibc reuse large blocks inside, and return them at the end; elsewhere do nothing.

    By default each feature map is mapped afresh and its pages are faulted in at every step, which
    takes over a quarter of a plain step (benchmarks/training_step.py).
    """
    _set(_KEPT)
    try:
        yield
    finally:
        _set(_USUAL)
        give_back()


def _set(options: dict[int, int]) -> None:
    if not sys.platform.startswith("linux"):
        return
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)  # musl has none
    if mallopt is not None:
        for option, value in options.items():
            mallopt(option, value)
