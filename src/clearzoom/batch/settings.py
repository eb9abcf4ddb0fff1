"""What is asked for when pictures are enlarged; the same for every picture of a folder."""

import re
from dataclasses import dataclass, field
from typing import Literal

from clearzoom.core.targets import Wanted
from clearzoom.engines import Engine, Precision
from clearzoom.errors import SizeError
from clearzoom.io.reading import DEFAULT_MAX_PIXELS
from clearzoom.io.writing import Encoding
from clearzoom.weights import DEFAULT_MODEL

_UNITS = {"": 1, "k": 10**3, "m": 10**6, "g": 10**9, "ki": 2**10, "mi": 2**20, "gi": 2**30}
_BYTES = re.compile(r"(?P<number>\d+(?:\.\d+)?)\s*(?P<unit>[kmg]i?|)b?", re.IGNORECASE)


@dataclass(frozen=True)
class Settings:
    """How to enlarge.

    ``strength``: of perceptual weights, 0 to 1. ``halo_px``: read around each tile instead of all
    that the network and back-projection see.
    ``memory_bytes``: the process's peak, or None for no limit.

    Example:
        >>> Settings(Wanted(long_edge_px=3000), model="fast", ensemble=True).back_projection
        True
    """

    wanted: Wanted = field(default_factory=Wanted)
    model: str = DEFAULT_MODEL
    engine: Engine = "auto"
    precision: Precision = "fp32"
    strength: float = 1.0
    ensemble: bool = False
    back_projection: bool = True
    halo_px: int | None = None
    encoding: Encoding = field(default_factory=Encoding)
    metadata: Literal["keep", "strip"] = "keep"
    max_pixels: int = DEFAULT_MAX_PIXELS
    memory_bytes: int | None = None


def parse_bytes(text: str) -> int:
    """Understand an amount of memory.

    Args:
        text: like 800MB, 1GB, 1.5GiB, 1000000.

    Raises:
        SizeError: not of that form.

    Example:
        >>> parse_bytes("1.5GiB")
        1610612736
    """
    found = _BYTES.fullmatch(text.strip())
    if found is None:
        raise SizeError(f"cannot understand {text!r} as an amount of bytes; write it like 800MB")
    return int(float(found["number"]) * _UNITS[found["unit"].lower()])


def parse_region(text: str) -> tuple[int, int, int, int]:
    """Understand a part of a picture.

    Args:
        text: x,y,width,height in px of the input.

    Raises:
        SizeError: not of that form.
    """
    try:
        x, y, width, height = (int(part) for part in text.split(","))
    except ValueError as error:
        raise SizeError(
            f"cannot understand --preview {text!r}; write it like 100,50,64,64"
        ) from error
    if min(x, y) < 0 or min(width, height) < 1:
        raise SizeError(f"--preview {text!r} is no part of a picture")
    return x, y, width, height
