"""Name the processor of this machine."""

import os
import platform
from functools import cache
from pathlib import Path

_INFO = Path("/proc/cpuinfo")
_TELLING = (
    *("avx", "avx2", "fma", "f16c", "avx512f", "avx512_vnni", "avx512_bf16", "avx512_fp16"),
    *("avx_vnni", "amx_tile", "amx_bf16", "amx_int8"),
    *("asimd", "asimddp", "asimdhp", "i8mm", "bf16", "sve"),
)
"""The features that decide how fast networks run, as Linux names them."""


@cache
def cpu_words() -> str:
    """Name the processor and its cores, like ``2 cores of AMD EPYC``."""
    return f"{os.cpu_count()} cores of {_line('model name') or platform.machine()}"


def cpu_features() -> list[str]:
    """List the features of the processor that decide how fast networks run, where Linux does."""
    there = set((_line("flags") or _line("Features")).split())
    return [name for name in _TELLING if name in there]


def _line(name: str) -> str:
    """Return the first value of a name in Linux's description of the processor, or nothing."""
    try:
        lines = _INFO.read_text("utf-8", "replace").splitlines()
    except OSError:
        return ""
    pairs = (line.partition(":") for line in lines)
    return next((text.strip() for key, _, text in pairs if key.strip() == name), "")
