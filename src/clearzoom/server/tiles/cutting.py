"""Cut a view from a picture or from its enlargement, in strips that take little memory."""

from collections.abc import Callable
from fractions import Fraction
from itertools import count
from math import ceil, floor, log2
from typing import TypeVar

import pyvips

from clearzoom.core.box import Box
from clearzoom.io.writing import as_image
from clearzoom.pipeline.regions import RESAMPLING_REACH_PX
from clearzoom.server.tiles.original import Original
from clearzoom.server.tiles.resample import LANCZOS_REACH, resampled
from clearzoom.server.tiles.views import View, ViewPlan

STRIP_PX = 6_000_000
"""The most px that a strip is made from, where it has more than a row; their floats are in memory
at once. A tile of any viewer is one strip."""
_MOST_READ_PX = 80_000_000
"""The most px that one answer reads of a half: a bit more than four times the largest answer."""

Number = TypeVar("Number", float, Fraction)
MakeStrip = Callable[[int, int], pyvips.Image]
"""Makes the rows of an answer from the first to before the second."""


def in_strips(view: View, read_px: float, make: MakeStrip) -> pyvips.Image:
    """Make an answer strip by strip.

    Args:
        view: states the size of the answer.
        read_px: how many px the whole answer is made from.
        make: makes some rows.
    """
    rows = max(1, int(STRIP_PX / max(read_px, 1) * view.height))
    if rows >= view.height:
        return make(0, view.height)
    strips = [
        make(top, min(top + rows, view.height)).copy_memory() for top in range(0, view.height, rows)
    ]
    joined = pyvips.Image.arrayjoin(strips, across=1)  # fills up the last one
    return joined.crop(0, 0, view.width, view.height)


def reduced(original: Original, view: View) -> pyvips.Image:
    """Read a part of a half as it is, or resample it from a half with more px.

    Args:
        original: the picture, which is read by region.
        view: has no more px than the original there.
    """
    box, source = view.box, original.source
    half, is_exact = _half(original, view)
    divisor = view.variant.scale * 2**half
    image = original.halves[half]
    left, right = _stretch(box.left, box.width, divisor, image.width)
    top, bottom = _stretch(box.top, box.height, divisor, image.height)
    reach = 0 if is_exact else RESAMPLING_REACH_PX
    first, last = max(0, int(left) - reach), min(image.width, ceil(right) + reach)
    above, below = max(0, int(top) - reach), min(image.height, ceil(bottom) + reach)

    def make(begin: int, end: int) -> pyvips.Image:
        if is_exact:
            part = Box(first, above + begin, last - first, end - begin)
            return as_image(original.region(half, part), cmyk=source.cmyk)
        upper, lower = _rows(top, bottom, begin, end, view.height)
        start, stop = _around(upper, lower, end - begin, above, below)
        samples = original.region(half, Box(first, start, last - first, stop - start))
        part_px = left - first, upper - start, right - first, lower - start
        return resampled(as_image(samples, cmyk=source.cmyk), part_px, view.width, end - begin)

    return in_strips(view, (last - first) * (below - above), make)


def read_px_of(plan: ViewPlan) -> float:
    """Return the most px that a view is made from: of the picture, or of its enlargement."""
    view = plan.view
    part_px = view.box.width * view.box.height / view.variant.scale**2
    if plan.scale > 1:
        return part_px * plan.scale**2
    half = max(0, int(log2(1 / view.factor) + 1e-9) - 1)
    return min(part_px / float(4**half), _MOST_READ_PX)


def strip_px_of(read_px: float, rows: int) -> float:
    """Return the px of the largest strip; a row of a low and wide answer can be made from many."""
    return min(read_px, max(STRIP_PX, read_px / rows))


def cut(plan: ViewPlan, read: Callable[[Box], pyvips.Image]) -> pyvips.Image:
    """Cut a view from the enlargement of its plan, and resample it as for a file.

    Where the enlargement is a whole number of times larger than the view, as on all levels of
    virtual pictures, the px are those of the whole picture resampled; otherwise the part is cut
    first, and then resampled.

    Args:
        plan: the plan of the view.
        read: returns a box of the enlargement.
    """
    view, scale = plan.view, plan.scale
    zoom = Fraction(scale, view.variant.scale)
    left, top = view.box.left * zoom, view.box.top * zoom
    right, bottom = left + view.box.width * zoom, top + view.box.height * zoom
    shrink = (right - left) / view.width
    even = shrink == (bottom - top) / view.height and shrink.denominator == 1
    if not even or left % shrink or top % shrink:
        make = _unevenly(view, read, (left, top, right, bottom))
    else:
        make = _evenly(plan, read, int(left), int(top), int(shrink))
    return in_strips(view, float((right - left) * (bottom - top)), make)


def _unevenly(
    view: View, read: Callable[[Box], pyvips.Image], edges: tuple[Fraction, ...]
) -> MakeStrip:
    left, top, right, bottom = edges
    first, last, above, below = floor(left), ceil(right), floor(top), ceil(bottom)

    def make(begin: int, end: int) -> pyvips.Image:
        upper, lower = _rows(top, bottom, begin, end, view.height)
        start, stop = _around(upper, lower, end - begin, above, below)
        image = read(Box(first, start, last - first, stop - start))
        part = tuple(map(float, (left - first, upper - start, right - first, lower - start)))
        return resampled(image, part, view.width, end - begin)  # type: ignore[arg-type]

    return make


def _evenly(
    plan: ViewPlan, read: Callable[[Box], pyvips.Image], left: int, top: int, times: int
) -> MakeStrip:
    view = plan.view
    reach = RESAMPLING_REACH_PX * times if times > 1 else 0
    whole_width, whole_height = (length * plan.scale for length in view.source_px)
    first, last = max(0, left - reach), min(whole_width, left + view.width * times + reach)

    def make(begin: int, end: int) -> pyvips.Image:
        upper, lower = top + begin * times, top + end * times
        above, below = max(0, upper - reach), min(whole_height, lower + reach)
        image = read(Box(first, above, last - first, below - above))
        if times > 1:
            kind = image.format  # in whole numbers libvips' weights do not add up to 1
            image = image.cast("float").resize(1 / times, kernel="cubic", gap=0).rint().cast(kind)
        x, y = (left - first) // times, (upper - above) // times
        return image.crop(x, y, view.width, end - begin)

    return make


def _rows(top: Number, bottom: Number, begin: int, end: int, rows: int) -> tuple[Number, Number]:
    """Return the edges of a strip in what it is cut from."""
    if (begin, end) == (0, rows):
        return top, bottom
    tall = bottom - top
    return top + tall * begin / rows, top + tall * end / rows


def _around(
    upper: float | Fraction, lower: float | Fraction, rows: int, above: int, below: int
) -> tuple[int, int]:
    """Return the px rows that a strip is resampled from, of those from above to below."""
    reach = ceil(LANCZOS_REACH * max(1.0, float(lower - upper) / rows)) + 1
    return max(above, floor(upper) - reach), min(below, ceil(lower) + reach)


def _stretch(start: int, length: int, divisor: int, length_px: int) -> tuple[float, float]:
    """Map a stretch of the variant into a half, whose last px a TIFF's own pyramid may lack."""
    return min(start / divisor, length_px - 1), min((start + length) / divisor, length_px)


def _half(original: Original, view: View) -> tuple[int, bool]:
    """Choose the half to read, and say whether the answer is a part of it, px for px.

    Otherwise the half has two to four times as many px a side as the answer; fewer where the answer
    is so long and thin that too many px would be read.
    """
    box, scale = view.box, view.variant.scale
    for half, image in enumerate(original.halves):
        divisor = scale * 2**half
        inside = box.left + box.width <= image.width * divisor
        inside = inside and box.top + box.height <= image.height * divisor
        size = -(-box.width // divisor), -(-box.height // divisor)
        if inside and size == (view.width, view.height) and box.is_on_grid(divisor):
            return half, True
    twice_as_large = int(log2(1 / view.factor) + 1e-9) - 1
    read_px = box.width * box.height / scale**2
    few = next(half for half in count() if read_px / 4**half <= _MOST_READ_PX)
    return min(len(original.halves) - 1, max(0, twice_as_large, few)), False
