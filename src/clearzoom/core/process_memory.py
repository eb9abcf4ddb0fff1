"""Measure the memory of this process: now, at its peak, and while something runs."""

import ctypes
import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

_SAMPLE_EVERY_SECONDS = 0.002
_LIMITS_OF_CONTAINERS = (
    "/sys/fs/cgroup/memory.max",
    "/sys/fs/cgroup/memory/memory.limit_in_bytes",
)
_UNKNOWN_BYTES = 2**63  # where the system does not state its memory, nothing is refused


def peak_bytes() -> int:
    """Return the peak of this process's resident memory."""
    status = Path("/proc/self/status")
    if status.is_file():
        for line in status.read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    import resource

    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def resident_bytes() -> int:
    """Return the resident memory of this process now; its peak where the system states no more."""
    pages = Path("/proc/self/statm")
    if pages.is_file():
        return int(pages.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    return peak_bytes()


def machine_bytes() -> int:
    """Return all the memory of this machine, or of its container, used or free."""
    found = [
        int(text)
        for place in _LIMITS_OF_CONTAINERS
        if (text := _first_line(Path(place))).isdecimal()
    ]
    if hasattr(os, "sysconf") and "SC_PHYS_PAGES" in os.sysconf_names:
        found.append(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"))
    return min(found, default=_UNKNOWN_BYTES)


def _first_line(path: Path) -> str:
    try:
        return path.read_text().strip()
    except OSError:
        return ""


def give_back() -> None:
    """Have the C library return the memory that it keeps for later to the system."""
    if sys.platform == "linux":
        with suppress(OSError, AttributeError):  # only glibc can
            ctypes.CDLL(None).malloc_trim(0)


@dataclass
class Watched:
    """The highest resident memory that was measured, in ``most_bytes``."""

    most_bytes: int


@contextmanager
def watched() -> Iterator[Watched]:
    """Measure the peak of this process's resident memory while a block runs.

    The system states a peak that is above all earlier ones; a lower one is sampled.

    Yields:
        The measurement, which is complete after the block.
    """
    before = peak_bytes()
    seen = Watched(resident_bytes())
    ended = threading.Event()

    def sample() -> None:
        while not ended.wait(_SAMPLE_EVERY_SECONDS):
            seen.most_bytes = max(seen.most_bytes, resident_bytes())

    thread = threading.Thread(target=sample, daemon=True)
    thread.start()
    try:
        yield seen
    finally:
        ended.set()
        thread.join()
        peak = peak_bytes()
        seen.most_bytes = max(seen.most_bytes, resident_bytes(), peak if peak > before else 0)
