"""Identifiers of pictures and virtual pictures.

ID                     the picture itself
ID~p2                  the second page of a TIFF with several; all that follows can stand after it
ID~x4                  the picture enlarged four times by the server's model
ID~x4,MODEL            enlarged by another model
ID~x4,MODEL,STRENGTH   enlarged by perceptual weights at a strength, in tenths
ID~x4,MODEL,d0.6       enlarged at a level of denoising, in tenths; also after a strength
ID~x4,bicubic          interpolated
ID~f4[,MODEL[,STRENGTH][,d0.6]]   a map of what the network added: transparent where it is nothing
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
    """A picture, or a virtual picture that is made from it.

    Attributes:
        identifier: the picture's own identifier, decoded.
        scale: how many times wider the virtual picture is; 1 is the picture itself.
        model: name of the model; None for the server's.
        strength: strength of perceptual weights, 0 to 1.
        fidelity: whether it is the map of what the network added.
        denoise: level of denoising, 0 to 1; None for the server's choice.
    """

    identifier: str
    scale: int = 1
    model: str | None = None
    strength: float = 1.0
    fidelity: bool = False
    denoise: float | None = None

    @property
    def text(self) -> str:
        """The identifier of the variant, decoded."""
        if self.scale == 1:
            return self.identifier
        text = f"{self.identifier}~{'f' if self.fidelity else 'x'}{self.scale}"
        if self.model is not None:
            text += f",{self.model}"
            text += f",{self.strength:g}" if self.strength != 1.0 else ""
            text += f",d{self.denoise:g}" if self.denoise is not None else ""
        return text


def parse_variant(text: str) -> Variant:
    """Parse an identifier.

    Args:
        text: the identifier, decoded.

    Raises:
        MissingFileError: no virtual picture has this scale.
        SizeError: the strength or the level of denoising is not one of 0, 0.1 … 1.
    """
    parts = _SUFFIX.fullmatch(text)
    if parts is None:
        return Variant(text)
    scale = int(parts["scale"])
    if scale not in VIRTUAL_SCALES:
        there = ", ".join(f"~x{scale}" for scale in VIRTUAL_SCALES)
        raise MissingFileError(f"there is no such virtual picture; there are {there}")
    strength = _tenths(parts["strength"] or "1", "a strength")
    denoise = _tenths(parts["denoise"], "denoise") if parts["denoise"] else None
    return Variant(parts["id"], scale, parts["model"], strength, parts["kind"] == "f", denoise)


def _tenths(text: str, name: str) -> float:
    value = float(text)
    if not 0 <= value <= 1 or round(value * 10) != round(value * 1000) / 100:
        raise SizeError(f"{name} must be 0 to 1, in tenths")
    return value


def encoded(identifier: str) -> str:
    """Write an identifier as one segment of a URL.

    Example:
        >>> encoded("scans/a b.tif~x4,fast")
        'scans%2Fa%20b.tif~x4,fast'
    """
    return quote(identifier, safe=",!")
