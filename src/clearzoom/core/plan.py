"""The plan of an enlargement: the chain of networks, and the resampling after it."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from itertools import product
from math import prod
from typing import Literal

from clearzoom.core.targets import MM_PER_INCH, Print, Wanted, box_of, target_size
from clearzoom.core.wrap import AXES, Wrap, wraps
from clearzoom.errors import SizeError

_PRINT_DPI_ENOUGH = 75.0
"""With fewer px of the input per printed inch, most of what a print shows is inferred."""

_MUCH_CUT = 0.25
"""Where this part of a picture or more is cut, a note says so."""

MOST_STAGES = 3
"""Networks in one chain."""

_RESULT_WORK = 10_000
"""Multiply-adds in whose time a px of a network's result is made consistent, rounded and stored."""


@dataclass(frozen=True)
class Plan:
    """The steps from a picture of ``source_px`` to one of ``result_px``, as (width, height) in px.

    ``stages`` are the scales of the networks in their order; it is empty if nothing is enlarged.
    ``resized_px`` is the size after the last resampling; ``result_px`` is cropped from its middle.
    ``wrap`` names the axes along which the picture continues at its other side. ``resampling`` is
    how px between the px of the last network, or of the picture, are made.
    """

    source_px: tuple[int, int]
    stages: tuple[int, ...]
    resized_px: tuple[int, int]
    result_px: tuple[int, int]
    dpi: float | None
    notes: tuple[str, ...]
    wrap: Wrap = "none"
    resampling: Literal["bicubic", "nearest"] = "bicubic"

    @property
    def enlarged_px(self) -> tuple[int, int]:
        """Return the size after the last network."""
        return (self.source_px[0] * prod(self.stages), self.source_px[1] * prod(self.stages))

    @property
    def computed_px(self) -> int:
        """Return how many px all networks make together."""
        grown = sum(prod(self.stages[: index + 1]) ** 2 for index in range(len(self.stages)))
        return self.source_px[0] * self.source_px[1] * grown

    @property
    def scale(self) -> float:
        """Return how many times wider the picture becomes before it is cropped."""
        return self.resized_px[0] / self.source_px[0]


def make_plan(
    source_px: tuple[int, int],
    target: Wanted,
    work: Mapping[int, float],
    *,
    wrap: Wrap = "none",
    pixel_art: bool = False,
) -> Plan:
    """Choose the chain of networks that reaches the target size, and the resampling after it.

    Args:
        source_px: width and height of the upright input.
        target: the size of the result.
        work: see ``chain_for``.
        wrap: the axes along which the picture continues at its other side.
        pixel_art: repeat px instead of running networks.

    Raises:
        SizeError: the picture is empty, more than three networks would be needed, a wrapped axis
            would be cut, or pixel art would not become a whole number of times larger.
    """
    width, height = source_px
    if not width or not height:
        raise SizeError(f"a picture of {width}x{height} px has nothing to enlarge")
    resized, result = target_size(width, height, target)
    for axis, before, after in zip(AXES, resized, result, strict=True):
        if before != after and wraps(wrap, axis):
            raise SizeError(
                f"a picture that wraps along {axis} is not cut along it, since its edges would no "
                "longer meet; leave `fill` or `wrap` out",
                setting="wrap",
            )
    factor = max(resized[0] / width, resized[1] / height)
    if pixel_art:
        times = max(1, resized[0] // width)
        if resized != (times * width, times * height):
            raise SizeError(
                f"pixel art becomes a whole number of times larger, not {factor:.4g} times; give "
                f"`scale` 2, 3, 4 or another whole number, or leave `pixel_art` out",
                setting="pixel_art",
            )
        rest = tuple(_sheet_notes(source_px, target, result))
        return Plan(source_px, (), resized, result, _dpi(target), rest, wrap, "nearest")
    notes = []
    if factor < 1:
        notes.append("the result is smaller than the picture: it is only resampled")
    cut = 1 - result[0] * result[1] / (resized[0] * resized[1])
    if cut >= _MUCH_CUT:
        notes.append(f"{100 * cut:.0f} % of the picture is cut at its edges, to fill the whole box")
    across = _across_note(source_px, target.sheet)
    blank = [] if across else _sheet_notes(source_px, target, result)
    notes += across + (_bleed_note(result, target) or blank)
    dpi = _dpi(target)
    if dpi is not None and dpi / factor < _PRINT_DPI_ENOUGH:
        notes.append(
            f"the picture has {dpi / factor:.0f} px an inch at this size, under "
            f"{_PRINT_DPI_ENOUGH:.0f}: most of what is printed will be inferred"
        )
    chain = chain_for(factor, work)
    return Plan(source_px, chain, resized, result, dpi, tuple(notes), wrap)


def _sheet_notes(
    source_px: tuple[int, int], target: Wanted, result_px: tuple[int, int]
) -> list[str]:
    """Say where a print leaves more than a millimetre of its sheet blank."""
    sheet, box = target.sheet, box_of(*source_px, target)
    if sheet is None or box is None or sheet.sides == "longest":
        return []
    blank_px = max(box[0] - result_px[0], box[1] - result_px[1])
    if blank_px * MM_PER_INCH <= sheet.dpi:
        return []
    whole, printed = size_cm(box, sheet.dpi), size_cm(result_px, sheet.dpi)
    return [
        f"the print is {printed}, smaller than the sheet of {whole}: to fill the sheet, edges of "
        "the picture must be cut"
    ]


def size_cm(size_px: tuple[int, int], dpi: float) -> str:
    """Write the size of a print.

    Args:
        size_px: width and height in px.
        dpi: px per inch of the paper.

    Example:
        >>> size_cm((3508, 4092), 300)
        '29.7x34.6 cm'
    """
    width, height = (f"{px / dpi * MM_PER_INCH / 10:.1f}".removesuffix(".0") for px in size_px)
    return f"{width}x{height} cm"


def _across_note(source_px: tuple[int, int], sheet: Print | None) -> list[str]:
    """Say that a print lies across the picture, where the size does not turn it."""
    if sheet is None or sheet.sides != "fixed":
        return []
    wider_px, wider = source_px[0] - source_px[1], sheet.size_px[0] - sheet.size_px[1]
    if wider_px * wider >= 0:
        return []
    shape = "wider than high, the picture is not" if wider > 0 else "upright, the picture is not"
    return [f"the print is {shape}; a print size with ',turned' at its end is turned as needed"]


def _bleed_note(result_px: tuple[int, int], target: Wanted) -> list[str]:
    """Say that a bleed stays white, where the picture does not reach all edges of the sheet."""
    sheet = target.sheet
    if sheet is None or not sheet.bleed_mm or sheet.sides == "longest":
        return []
    if sorted(result_px) == sorted(sheet.size_px):
        return []
    return ["the picture fits into the sheet, and its bleed stays white; fill covers both"]


def _dpi(target: Wanted) -> float | None:
    return target.sheet.dpi if target.sheet else None


def most_times(scales: Collection[int]) -> int:
    """Return how many times wider the longest chain of networks makes a picture.

    Args:
        scales: the scales for which there are weights.
    """
    most: int = max(scales, default=1) ** MOST_STAGES
    return most


def chain_for(factor: float, work: Mapping[int, float]) -> tuple[int, ...]:
    """Choose the chain of networks that enlarges by at least a factor: few networks, little work.

    A chain of fewer networks comes first, since each infers from what the one before inferred. Of
    chains as long as each other, the one with the least work is chosen. What was measured of other
    chains is in docs/experiments.md.

    Args:
        factor: how many times wider the picture becomes; up to 1, no network is needed.
        work: the scales for which there are weights, each with the multiply-adds of its network for
            each px of its input.

    Raises:
        SizeError: more than three networks would be needed.

    Example:
        >>> chain_for(10, {2: 3e5, 4: 3e5}), chain_for(10, {2: 3e5, 3: 3e5, 4: 3e5})
        ((4, 4), (3, 4))
    """
    if factor <= 1:
        return ()
    for length in range(1, MOST_STAGES + 1):
        chains = [
            chain for chain in product(sorted(work), repeat=length) if prod(chain) >= factor - 1e-9
        ]
        if chains:
            return min(chains, key=lambda chain: (_work_of(chain, work), chain))
    raise SizeError(f"cannot enlarge {factor:.4g} times; at most {most_times(work)} times")


def _work_of(chain: tuple[int, ...], work: Mapping[int, float]) -> float:
    """Return the multiply-adds of a chain for each px of the picture."""
    total, grown_px = 0.0, 1
    for scale in chain:
        result_px = grown_px * scale**2
        total += grown_px * work[scale] + result_px * _RESULT_WORK
        grown_px = result_px
    return total
