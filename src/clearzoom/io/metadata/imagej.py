"""ImageJ's description of a TIFF, and the scale that it gives its px.

References:
    ImageJ 1.54, ij.io.FileSaver.getDescriptionString, ij.io.TiffDecoder.
"""

import re
import struct
from contextlib import suppress
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

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
    """``x`` and ``y``: px on a length that no resolution has a name for, such as a micrometre.

    ``unit``: its name as ImageJ writes it, or empty where the shape of a px alone is known.
    """

    x: float
    y: float
    unit: str

    def __str__(self) -> str:
        """Say it in a note."""
        if not self.unit:
            return f"the shape of its px, {self.x:g} to {self.y:g}"
        unit = self.unit.replace("\\u00B5", "µ")
        across = f"{self.x:g}" if self.x == self.y else f"{self.x:g} and {self.y:g}"
        return f"the scale of {across} px per {unit}"

    def placed(self, placement: Placement) -> "Calibration":
        """Make it true for a result.

        Args:
            placement: of the result in the input.
        """
        x, y = (self.y, self.x) if placement.is_sideways else (self.x, self.y)
        return Calibration(x * placement.times[0], y * placement.times[1], self.unit)

    def tags(self) -> list[Tag]:
        """Give the tags that state it in a TIFF."""
        resolution = []
        for number, value in ((_X, self.x), (_Y, self.y)):
            fraction = Fraction(value).limit_denominator(1_000_000)
            numbers = min(fraction.numerator, 2**32 - 1), fraction.denominator
            resolution.append(Tag(number, _RATIONAL, 1, struct.pack("<II", *numbers)))
        return [*resolution, Tag(_UNIT, SHORT, 1, struct.pack("<H", _NO_UNIT))]


def calibration_of(path: Path) -> Calibration | None:
    """Read a TIFF's resolution without a unit, where it means something.

    Args:
        path: any picture; of another than TIFF nothing is read.
    """
    said: dict[int, Tag] = {}
    with path.open("rb") as file, suppress(ValueError):  # no TIFF, or its directory is cut
        wanted = (_DESCRIPTION, _X, _Y, _UNIT)
        said = {tag.number: tag for tag in read_tags(file, lambda number, kind: number in wanted)}
    if _UNIT not in said or said[_UNIT].data[:2] != struct.pack("<H", _NO_UNIT):
        return None
    numbers = []
    for number in (_X, _Y):
        if number not in said or said[number].kind != _RATIONAL:
            return None
        above, below = struct.unpack_from("<II", said[number].data)
        numbers.append(above / below if below else 0)
    if not all(0 < value < 1e9 for value in numbers):
        return None
    text = said[_DESCRIPTION].data.decode(errors="replace") if _DESCRIPTION in said else ""
    unit = unit_of(text) or ""
    if not unit and numbers[0] == numbers[1]:
        return None
    return Calibration(numbers[0], numbers[1], unit)


def is_imagej(text: str) -> bool:
    """Say whether a description is ImageJ's.

    Args:
        text: of a TIFF's description.
    """
    return text.startswith(_START)


def unit_of(text: str) -> str | None:
    """Give the unit of length that ImageJ's description names.

    Args:
        text: of a TIFF's description.
    """
    found = _UNIT_LINE.search(text) if is_imagej(text) else None
    return found[1].strip() or None if found else None


def placed_imagej(text: str, placement: Placement, *, keeps_unit: bool) -> str:
    """Make ImageJ's description true: the place from which it counts, and the unit.

    Args:
        text: of a TIFF's description.
        placement: of the result in the input.
        keeps_unit: whether the result states a scale in that unit.
    """
    if not keeps_unit:
        text = _without(_UNIT_LINE, text)
    found = {
        name: re.search(rf"^{name}=(.*)$", text, re.MULTILINE) for name in ("xorigin", "yorigin")
    }
    try:
        x, y = (float(each[1]) if each else 0.0 for each in found.values())
    except ValueError:
        return text
    if not any(found.values()):
        return text
    (width, height), (across, down) = placement.stored_px, placement.result_px
    share = placement.share(x / width, y / height)
    for name, value in zip(found, (share[0] * across, share[1] * down), strict=True):
        text = re.sub(rf"^{name}=.*\n?", "", text, flags=re.MULTILINE)
        text = text.rstrip("\n") + f"\n{name}={value:.6f}\n"
    return text


def as_8_bit_imagej(text: str) -> str:
    """Leave out which of 16 bits' levels are shown as black and white.

    Args:
        text: of a TIFF's description.
    """
    return _without(_LEVELS_LINE, text)


def _without(lines: re.Pattern[str], text: str) -> str:
    return "".join(each for each in text.splitlines(keepends=True) if not lines.match(each))
