"""Identifiers: which picture, at how many times its px, and who fills them.

ID                     the picture itself
ID~x4                  four times its px, inferred by the server's model
ID~x4,MODEL            by another
ID~x4,MODEL,STRENGTH   by perceptual weights at a strength, in tenths
ID~x4,MODEL,d0.6       at a level of denoising, in tenths; also after a strength
ID~x4,bicubic          interpolated
ID~f4[,MODEL[,STRENGTH][,d0.6]]   where the network added most: transparent where it added nothing
"""

import re
from dataclasses import dataclass
from urllib.parse import quote

from clearzoom.errors import MissingFileError, SizeError
from clearzoom.server.settings import VIRTUAL_SCALES

BICUBIC = "bicubic"
_SUFFIX = re.compile(
    r"(?P<id>.+)~(?P<kind>[xf])(?P<scale>\d{1,2})"
    r"(?:,(?P<model>[a-z0-9-]{1,64})(?:,(?P<strength>\d(?:\.\d{1,2})?))?"
    r"(?:,d(?P<denoise>\d(?:\.\d{1,2})?))?)?",
    re.DOTALL,
)


@dataclass(frozen=True)
class Variant:
    """``scale`` 1 is the picture itself. ``model``, ``denoise``: None where none is named."""

    identifier: str
    scale: int = 1
    model: str | None = None
    strength: float = 1.0
    fidelity: bool = False
    denoise: float | None = None

    @property
    def text(self) -> str:
        """The identifier that names it, not encoded."""
        if self.scale == 1:
            return self.identifier
        said = f"{self.identifier}~{'f' if self.fidelity else 'x'}{self.scale}"
        if self.model is not None:
            said += f",{self.model}"
            said += f",{self.strength:g}" if self.strength != 1.0 else ""
            said += f",d{self.denoise:g}" if self.denoise is not None else ""
        return said


def parse_variant(text: str) -> Variant:
    """Take an identifier apart.

    Args:
        text: decoded.

    Raises:
        MissingFileError: a scale that no virtual picture has.
        SizeError: a strength, or a level of denoising, that is none.
    """
    found = _SUFFIX.fullmatch(text)
    if found is None:
        return Variant(text)
    scale = int(found["scale"])
    if scale not in VIRTUAL_SCALES:
        there = ", ".join(f"~x{scale}" for scale in VIRTUAL_SCALES)
        raise MissingFileError(f"there is no such virtual picture; there are {there}")
    strength = _tenths(found["strength"] or "1", "a strength")
    denoise = _tenths(found["denoise"], "denoise") if found["denoise"] else None
    return Variant(found["id"], scale, found["model"], strength, found["kind"] == "f", denoise)


def _tenths(text: str, name: str) -> float:
    value = float(text)
    if not 0 <= value <= 1 or round(value * 10) != round(value * 1000) / 100:
        raise SizeError(f"{name} is 0 to 1, in tenths")
    return value


def encoded(identifier: str) -> str:
    """Write an identifier as one segment of a URL.

    Example:
        >>> encoded("scans/a b.tif~x4,fast")
        'scans%2Fa%20b.tif~x4,fast'
    """
    return quote(identifier, safe=",!")
