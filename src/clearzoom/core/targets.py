"""The size of the result, in any of the ways to state it, and the whole px that this means.

There is one rounding rule: a length in px is floor(x + 0.5), and at least 1.
"""

import re
from dataclasses import dataclass
from math import floor, sqrt
from typing import Literal

from clearzoom.checked import checked_fields
from clearzoom.core.paper import PAPER_MM, paper_named
from clearzoom.errors import SizeError, nearest

Fitting = Literal["fit", "fill"]
Sides = Literal["fixed", "turning", "longest"]

MM_PER_INCH = 25.4
_MM = {"mm": 1.0, "cm": 10.0, "in": MM_PER_INCH}
_INCHES = ("inches", "inch", "\u2033", '"', "''")
_NUMBER = r"\d+(?:[.,]\d+)?"
_UNIT = rf"(?:{'|'.join((*_INCHES, *_MM))})"
_PRINT = re.compile(
    rf"(?:(?P<paper>[A-Za-z]\w*)|(?P<w>{_NUMBER})\s*(?P<w_unit>{_UNIT}?)\s*"
    rf"(?:[x*\u00d7]\s*(?P<h>{_NUMBER})\s*(?P<h_unit>{_UNIT}?))?)"
    rf"(?:\s*@\s*(?P<dpi>{_NUMBER})\s*(?:[dp]pi)?|[\s:,]+(?P<bare_dpi>{_NUMBER})\s*[dp]pi)?"
    r"(?:\s*,\s*(?P<turned>turned))?",
    re.IGNORECASE,
)
_FORMS = "write it like 60x70cm@300dpi, A3@300dpi, or 60cm@300dpi for the longer side"
_UNITS = "mm, cm or in"
_LENGTH = re.compile(rf"(?P<length>{_NUMBER})\s*(?P<unit>{_UNIT}?)", re.IGNORECASE)
_TOO_LARGE = 1e9


@checked_fields(SizeError)
@dataclass(frozen=True)
class Print:
    """The size of a print.

    Attributes:
        width_mm: its width after it was trimmed.
        height_mm: its height, likewise.
        dpi: px per inch of the paper.
        bleed_mm: what is added on each side, and cut off after printing.
        sides: ``fixed``: width is across and height is down. ``turning``: they are exchanged where
            that suits the orientation of the picture. ``longest``: the longer side of the picture
            gets this length, and width and height are equal.

    Example:
        >>> Print(600, 700).size_px, Print(600, 700, bleed_mm=3).size_px
        ((7087, 8268), (7157, 8339))
        >>> Print(210, 297, sides="turning").size_px
        (2480, 3508)
    """

    width_mm: float
    height_mm: float
    dpi: float = 300.0
    bleed_mm: float = 0.0
    sides: Sides = "fixed"

    def __post_init__(self) -> None:
        if self.sides == "longest" and self.width_mm != self.height_mm:
            raise SizeError("a print by its longest side has an equal width_mm and height_mm")
        for name in ("width_mm", "height_mm", "dpi", "bleed_mm"):
            value, may_be_0 = getattr(self, name), name == "bleed_mm"
            if not (0 < value < _TOO_LARGE or (may_be_0 and value == 0)):
                least = "from 0" if may_be_0 else "above 0"
                raise SizeError(f"a print's {name} of {value:g} is not {least} and below a billion")
        longest_mm = max(self.width_mm, self.height_mm) + 2 * self.bleed_mm
        if longest_mm * self.dpi > _TOO_LARGE * MM_PER_INCH:
            raise SizeError("the print would have more than a billion px on a side")

    @property
    def size_px(self) -> tuple[int, int]:
        """Return width and height in px, with the bleed on both sides, and not turned."""
        return self._px(self.width_mm), self._px(self.height_mm)

    def _px(self, length_mm: float) -> int:
        return whole_px((length_mm + 2 * self.bleed_mm) / MM_PER_INCH * self.dpi)


@checked_fields(SizeError)
@dataclass(frozen=True)
class Wanted:
    """The size of the result, stated in one of six ways; without any, ``scale`` is 4.

    ``width_px`` and ``height_px`` count as one way. Together they are a box: the picture fits into
    it, or fills it and is cropped. A print is such a box.

    Example:
        >>> Wanted(scale=2, width_px=3000)
        Traceback (most recent call last):
        clearzoom.errors.SizeError: give one of `scale`, `width_px` and `height_px`, \
`long_edge_px`, `megapixels`, `sheet`
    """

    scale: float | None = None
    width_px: int | None = None
    height_px: int | None = None
    long_edge_px: int | None = None
    megapixels: float | None = None
    sheet: Print | None = None
    fitting: Fitting = "fit"

    def __post_init__(self) -> None:
        ways = [
            self.scale,
            self.width_px or self.height_px,
            self.long_edge_px,
            self.megapixels,
            self.sheet,
        ]
        if sum(way is not None for way in ways) > 1:
            raise SizeError(
                "give one of `scale`, `width_px` and `height_px`, `long_edge_px`, `megapixels`, "
                "`sheet`"
            )
        sizes = {
            "scale": self.scale,
            "width_px": self.width_px,
            "height_px": self.height_px,
            "long_edge_px": self.long_edge_px,
            "megapixels": self.megapixels,
        }
        for name, length in sizes.items():
            if length is not None and not 0 < length < _TOO_LARGE:
                # Python refuses to format an int of hundreds of digits as a float.
                words = "so many digits" if abs(length) > 1e300 else f"{length:g}"
                raise SizeError(
                    f"`{name}`: a size of {words} is not above 0 and below a billion", setting=name
                )
        whole_box = self.width_px is not None and self.height_px is not None
        box_of_sheet = self.sheet is not None and self.sheet.sides != "longest"
        if self.fitting == "fill" and not box_of_sheet and not whole_box:
            raise SizeError(
                "`fill` needs a box to fill: `width_px` and `height_px`, or `sheet` with both "
                "sides",
                setting="fill",
            )


def whole_px(length_px: float) -> int:
    """Round a length half up to whole px, at least 1."""
    return max(1, floor(length_px + 0.5))


def parse_print(text: str, bleed: str | None = None) -> Print:
    """Parse a print size.

    Args:
        text: such as 60x70cm@300dpi, 8x10in or 210x297mm@600dpi; such as A3@300dpi, B5 or
            Letter, or 10x15cm@300dpi,turned, which are turned as the picture is; or such as
            60cm@300dpi, which is the length of the picture's longer side. The default is 300 dpi.
            Other usual ways are understood: 60,5x70cm, 60cm x 70cm, 24x28inch, 24"x28", A3 300ppi.
        bleed: such as 3mm: this is added on each side and trimmed after printing.

    Raises:
        SizeError: the text or the bleed is not of that form, or a length is 0.

    Example:
        >>> parse_print("60x70cm@300dpi").size_px
        (7087, 8268)
        >>> parse_print("A3"), parse_print("60cm@150dpi")
        (Print(width_mm=297.0, height_mm=420.0, dpi=300.0, bleed_mm=0.0, sides='turning'), \
Print(width_mm=600.0, height_mm=600.0, dpi=150.0, bleed_mm=0.0, sides='longest'))
        >>> parse_print("10x15cm,turned").sides
        'turning'
    """
    parts = _PRINT.fullmatch(text.strip())
    named = paper_named(parts["paper"]) if parts is not None and parts["paper"] else None
    one_length = parts is not None and not parts["paper"] and not parts["h"]
    if parts is None or (parts["paper"] and named is None) or (one_length and parts["turned"]):
        near = nearest(parts["paper"], PAPER_MM) if parts is not None and parts["paper"] else ""
        raise SizeError(
            f"cannot understand `print_size` {text!r:.60}; {_FORMS}{near}", setting="print_size"
        )
    unit = parts["h_unit"] or parts["w_unit"]
    if named is None and not unit:
        lengths = "x".join(filter(None, (parts["w"], parts["h"])))
        raise SizeError(
            f"`print_size` {text!r:.60} has no unit; add one of {_UNITS}, as in {lengths}cm",
            setting="print_size",
        )
    bleed_mm = 0.0
    if bleed is not None:
        length = _LENGTH.fullmatch(bleed.strip())
        if length is None or not length["unit"]:
            raise SizeError(
                f"cannot understand `bleed` {bleed!r:.60}; write it like 3mm, in {_UNITS}",
                setting="bleed",
            )
        bleed_mm = _number(length["length"]) * _mm(length["unit"])
    dpi = _number(parts["dpi"] or parts["bare_dpi"] or f"{Print.dpi}")
    turning = named or parts["turned"]
    sides: Sides = "turning" if turning else "fixed" if parts["h"] else "longest"
    if named is None:
        width = _number(parts["w"]) * _mm(parts["w_unit"] or unit)
        height = _number(parts["h"]) * _mm(parts["h_unit"] or unit) if parts["h"] else width
        named = width, height
    width_mm, height_mm = named
    if not (width_mm and height_mm and dpi):
        raise SizeError(
            f"`print_size` {text!r:.60}: lengths and dpi must be above 0", setting="print_size"
        )
    return Print(width_mm, height_mm, dpi, bleed_mm, sides)


def _number(text: str) -> float:
    """Read a number; a comma is the decimal mark, as in most of Europe."""
    return float(text.replace(",", "."))


def _mm(unit: str) -> float:
    return MM_PER_INCH if unit.lower() in _INCHES else _MM[unit.lower()]


def target_size(
    width_px: int, height_px: int, target: Wanted
) -> tuple[tuple[int, int], tuple[int, int]]:
    """Compute the size of the result.

    Args:
        width_px: the width of the upright input.
        height_px: its height.
        target: the size that is requested.

    Returns:
        The size (width, height) to resize to, and the size after cropping its edges evenly; they
        differ only if the picture fills a box of another shape. A box of the input's shape is met
        exactly; half a px of the input counts as rounding.
    """
    box = box_of(width_px, height_px, target)
    if box is None:
        factor = _factor(width_px, height_px, target)
        size = (
            target.width_px or whole_px(width_px * factor),
            target.height_px or whole_px(height_px * factor),
        )
        return size, size
    factors = (box[0] / width_px, box[1] / height_px)
    if _same_shape(width_px, height_px, box):
        return box, box
    factor = max(factors) if target.fitting == "fill" else min(factors)
    size = (whole_px(width_px * factor), whole_px(height_px * factor))
    return size, (min(size[0], box[0]), min(size[1], box[1]))


def box_of(width_px: int, height_px: int, target: Wanted) -> tuple[int, int] | None:
    """Return the width and height in px that a picture fits into or fills; None without a box.

    Args:
        width_px: the width of the upright input.
        height_px: its height.
        target: the size that is requested.

    Example:
        >>> box_of(800, 600, Wanted(sheet=parse_print("A4@100dpi")))
        (1169, 827)
    """
    if target.sheet is not None:
        box = target.sheet.size_px
        turned = (width_px - height_px) * (box[0] - box[1]) < 0
        return box[::-1] if target.sheet.sides == "turning" and turned else box
    if target.width_px is not None and target.height_px is not None:
        return target.width_px, target.height_px
    return None


def _factor(width_px: int, height_px: int, target: Wanted) -> float:
    if target.width_px is not None:
        return target.width_px / width_px
    if target.height_px is not None:
        return target.height_px / height_px
    if target.long_edge_px is not None:
        return target.long_edge_px / max(width_px, height_px)
    if target.megapixels is not None:
        return sqrt(target.megapixels * 1e6 / (width_px * height_px))
    return target.scale if target.scale is not None else 4.0


def _same_shape(width_px: int, height_px: int, box: tuple[int, int]) -> bool:
    return (
        abs(height_px * box[0] / box[1] - width_px) <= 0.5
        or abs(width_px * box[1] / box[0] - height_px) <= 0.5
    )
