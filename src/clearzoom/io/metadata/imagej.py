"""ImageJ's description in a TIFF, and the calibration of its px.

References:
    ImageJ 1.54, ij.io.FileSaver.getDescriptionString, ij.io.TiffDecoder.
"""

import re
import struct
from contextlib import suppress
from dataclasses import dataclass
from fractions import Fraction
from typing import BinaryIO

from clearzoom.io.metadata.tiff_tags import SHORT, Tag, read_tags
from clearzoom.io.placement import Placement

_START = "ImageJ="
_RATIONAL = 5
_DESCRIPTION, _X, _Y, _UNIT = 270, 282, 283, 296
CALIBRATION_TAGS = (_X, _Y, _UNIT)
_NO_UNIT = 1
_UNIT_LINE = re.compile(r"^(?:unit|yunit|zunit)=(.*)$", re.MULTILINE)
_LEVELS_LINE = re.compile(r"^(?:min|max)=.*\n?", re.MULTILINE)


@dataclass(frozen=True)
class Calibration:
    """``x`` and ``y`` px cover a unit of length that TIFF has no number for, such as a micrometre.

    ``unit`` is its name as ImageJ writes it; it is empty if only the aspect ratio of px is known.
    """

    x: float
    y: float
    unit: str

    def __str__(self) -> str:
        """Describe it for a note."""
        if not self.unit:
            return f"the shape of its px, {self.x:g} to {self.y:g}"
        unit = self.unit.replace("\\u00B5", "µ")
        across = f"{self.x:g}" if self.x == self.y else f"{self.x:g} and {self.y:g}"
        return f"the scale of {across} px per {unit}"

    def placed(self, placement: Placement) -> "Calibration":
        """Return the calibration of the result.

        Args:
            placement: where the input's px lie in the result.
        """
        x, y = (self.y, self.x) if placement.is_sideways else (self.x, self.y)
        return Calibration(x * placement.times[0], y * placement.times[1], self.unit)

    def tags(self) -> list[Tag]:
        """Return the tags that state it in a TIFF."""
        resolution = []
        for number, value in ((_X, self.x), (_Y, self.y)):
            fraction = Fraction(value).limit_denominator(1_000_000)
            numbers = min(fraction.numerator, 2**32 - 1), fraction.denominator
            resolution.append(Tag(number, _RATIONAL, 1, struct.pack("<II", *numbers)))
        return [*resolution, Tag(_UNIT, SHORT, 1, struct.pack("<H", _NO_UNIT))]


def calibration_of(file: BinaryIO) -> Calibration | None:
    """Read a TIFF's resolution without a unit.

    Args:
        file: any picture; only a TIFF has such a resolution.

    Returns:
        The calibration, or None if there is none, or it says no more than that px are square.
    """
    tags: dict[int, Tag] = {}
    with suppress(ValueError):  # It is no TIFF, or its directory is cut off.
        numbers = (_DESCRIPTION, _X, _Y, _UNIT)
        tags = {tag.number: tag for tag in read_tags(file, lambda number, kind: number in numbers)}
    if _UNIT not in tags or tags[_UNIT].data[:2] != struct.pack("<H", _NO_UNIT):
        return None
    densities = []
    for number in (_X, _Y):
        if number not in tags or tags[number].kind != _RATIONAL:
            return None
        above, below = struct.unpack_from("<II", tags[number].data)
        densities.append(above / below if below else 0)
    if not all(0 < value < 1e9 for value in densities):
        return None
    text = tags[_DESCRIPTION].data.decode(errors="replace") if _DESCRIPTION in tags else ""
    unit = unit_of(text) or ""
    if not unit and densities[0] == densities[1]:
        return None
    return Calibration(densities[0], densities[1], unit)


def is_imagej(text: str) -> bool:
    """Tell whether ImageJ wrote a description.

    Args:
        text: the description of a TIFF.
    """
    return text.startswith(_START)


def unit_of(text: str) -> str | None:
    """Return the unit of length that ImageJ's description names.

    Args:
        text: the description of a TIFF.
    """
    line = _UNIT_LINE.search(text) if is_imagej(text) else None
    return line[1].strip() or None if line else None


def placed_imagej(text: str, placement: Placement, *, keeps_unit: bool) -> str:
    """Rewrite the origin and the unit in ImageJ's description for a result.

    Args:
        text: the description of a TIFF.
        placement: where the input's px lie in the result.
        keeps_unit: whether the result states a calibration in that unit.
    """
    if not keeps_unit:
        text = _without(_UNIT_LINE, text)
    lines = {
        name: re.search(rf"^{name}=(.*)$", text, re.MULTILINE) for name in ("xorigin", "yorigin")
    }
    try:
        x, y = (float(each[1]) if each else 0.0 for each in lines.values())
    except ValueError:
        return text
    if not any(lines.values()):
        return text
    (width, height), (across, down) = placement.stored_px, placement.result_px
    share = placement.share(x / width, y / height)
    for name, value in zip(lines, (share[0] * across, share[1] * down), strict=True):
        text = re.sub(rf"^{name}=.*\n?", "", text, flags=re.MULTILINE)
        text = text.rstrip("\n") + f"\n{name}={value:.6f}\n"
    return text


def as_8_bit_imagej(text: str) -> str:
    """Remove the 16-bit levels that ImageJ displays as black and white.

    Args:
        text: the description of a TIFF.
    """
    return _without(_LEVELS_LINE, text)


def _without(lines: re.Pattern[str], text: str) -> str:
    return "".join(each for each in text.splitlines(keepends=True) if not lines.match(each))
