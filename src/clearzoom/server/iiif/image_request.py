"""Requests of IIIF Image API 3.0 and 2.1, and the sizes and tiles that info.json offers.

References:
    https://iiif.io/api/image/3.0/ and https://iiif.io/api/image/2.1/ , sections 4 (requests) and 5
    (info.json).
"""

import re
from math import floor, log2
from typing import Any, Literal, cast

from clearzoom.core.box import Box
from clearzoom.server.error_answers import RefusedError
from clearzoom.server.iiif.identifiers import Variant
from clearzoom.server.iiif.limits import Limits
from clearzoom.server.tiles.rotation import bounds, rotated_px
from clearzoom.server.tiles.views import Quality, View

ApiVersion = Literal[2, 3]
"""2 is Image API 2.1, in which sizes above the region's need no ^."""

TILE_PX = 512
_NUMBER = r"(\d+(?:\.\d+)?)"
_PIXELS = re.compile(r"(\d+),(\d+),(\d+),(\d+)")
_PERCENT = re.compile(rf"pct:{_NUMBER},{_NUMBER},{_NUMBER},{_NUMBER}")
_SIZE = re.compile(
    rf"(?P<up>\^?)(?:(?P<max>max)|(?P<full>full)|pct:(?P<pct>{_NUMBER})|(?P<fit>!?)(?P<w>\d*),(?P<h>\d*))"
)
_ROTATION = re.compile(r"(!?)(\d+(?:\.\d+)?|\.\d+)")
_DEGREE_DECIMALS = 4
"""Smaller differences of an angle move no px of the largest answer by more than a hundredth."""
_QUALITIES = ("default", "color", "gray", "bitonal")
MEDIA_TYPES = {
    "jpg": "image/jpeg",
    "png": "image/png",
    "webp": "image/webp",
    "avif": "image/avif",
}
_LONGEST_DIGITS = 12
_SMALLER = 0.999


def parse_view(
    variant: Variant,
    source_px: tuple[int, int],
    limits: Limits,
    region: str,
    size: str,
    rotation: str,
    quality: str,
    suffix: str,
    version: ApiVersion = 3,
) -> View:
    """Parse an image request.

    Args:
        variant: the picture or virtual picture in whose px the region counts.
        source_px: width and height of the original.
        limits: limits of the answer.
        region: like full, square, 0,0,512,512, pct:10,10,50,50.
        size: like max, 512, or ^!1024,1024; in version 2 without ^, and also full.
        rotation: degrees, clockwise; after ! the answer is mirrored first.
        quality: default, color, gray or bitonal.
        suffix: jpg, png, webp or avif.
        version: version of the Image API.

    Raises:
        RefusedError: 400 where the request is malformed, over the limits, or not supported.
    """
    whole = (source_px[0] * variant.scale, source_px[1] * variant.scale)
    box = _region(region, *whole)
    limits = limits.of_part(box, variant.scale)
    mirrored, degrees = _rotation(rotation)
    width, height = _size(size, box, limits, degrees, version)
    if quality not in _QUALITIES:
        raise RefusedError(400, f"no quality {quality!r}; there are {', '.join(_QUALITIES)}")
    if suffix not in MEDIA_TYPES:
        raise RefusedError(400, f"no format {suffix!r}; there are {', '.join(MEDIA_TYPES)}")
    return View(
        variant,
        source_px,
        box,
        width,
        height,
        mirrored,
        degrees,
        cast(Quality, quality),
        cast(Any, suffix),
    )


def canonical(view: View, limits: Limits, version: ApiVersion = 3) -> str:
    """Write a request in the canonical form of the standard (4.8 of version 3.0, 4.7 of 2.1).

    Args:
        view: the view that ``parse_view`` returned.
        limits: the limits that it was parsed with.
        version: version of the Image API.
    """
    box = view.box
    whole = tuple(side * view.variant.scale for side in view.source_px)
    region = f"{box.left},{box.top},{box.width},{box.height}"
    if (box.width, box.height) == whole:
        region = "full"
    mirror = "!" if view.mirrored else ""
    degrees = f"{view.degrees:.{_DEGREE_DECIMALS}f}".rstrip("0").rstrip(".")
    size = _canonical_size(view, limits, version)
    return f"{region}/{size}/{mirror}{degrees}/{view.quality}.{view.suffix}"


def _canonical_size(view: View, limits: Limits, version: ApiVersion) -> str:
    box, size_px = view.box, (view.width, view.height)
    limits = limits.of_part(box, view.variant.scale)

    def gives_it(text: str) -> bool:
        try:
            return _size(text, box, limits, view.degrees, version) == size_px
        except RefusedError:
            return False

    exact = f"{view.width},{view.height}"
    if version == 2:
        return next(filter(gives_it, ("full", f"{view.width},")), exact)
    up = "^" if view.width > box.width or view.height > box.height else ""
    return f"{up}max" if gives_it(f"{up}max") else f"{up}{exact}"


def _region(text: str, width: int, height: int) -> Box:
    if text == "full":
        return Box(0, 0, width, height)
    if text == "square":
        side = min(width, height)
        return Box((width - side) // 2, (height - side) // 2, side, side)
    if found := _PIXELS.fullmatch(text):
        left, top, across, down = map(_whole, found.groups())
    elif found := _PERCENT.fullmatch(text):
        shares = [min(float(share), 1e6) / 100 for share in found.groups()]
        left, top = floor(shares[0] * width + 0.5), floor(shares[1] * height + 0.5)
        across, down = floor(shares[2] * width + 0.5), floor(shares[3] * height + 0.5)
    else:
        raise RefusedError(400, f"cannot understand the region {text!r}")
    right, bottom = min(width, left + across), min(height, top + down)
    if right <= left or bottom <= top:
        raise RefusedError(400, f"the region {text!r} holds no px of {width}x{height}")
    return Box(left, top, right - left, bottom - top)


def _size(
    text: str, box: Box, limits: Limits, degrees: float, version: ApiVersion
) -> tuple[int, int]:
    found = _SIZE.fullmatch(text)
    if found is None or (version == 2 and found["up"]) or (found["full"] and text != "full"):
        raise RefusedError(400, f"cannot understand the size {text!r}")
    if found["full"] and version == 3:
        raise RefusedError(400, "version 3 has no size 'full'; ask for 'max'")
    enlarges = bool(found["up"])
    room = limits.room(*bounds(box.width, box.height, degrees))
    if found["max"]:
        share = room if enlarges else min(1.0, room)
        return _scaled_down(box, share, limits, degrees)
    if found["full"]:
        width, height = box.width, box.height
    elif found["pct"] is not None:
        share = min(float(found["pct"]), 1e9) / 100
        width, height = _rounded(box.width * share), _rounded(box.height * share)
    else:
        wide, high = _whole(found["w"]), _whole(found["h"])
        if not (wide or found["w"]) and not (high or found["h"]):
            raise RefusedError(400, f"{text!r} is not a size")
        if found["fit"]:
            if not (wide and high):
                raise RefusedError(400, f"the size {text!r} needs a width and a height")
            # Version 2.1 lets the server choose how large the best fit is: never above the region.
            share = min(wide / box.width, high / box.height, room)
            return _scaled_down(box, share if enlarges else min(1.0, share), limits, degrees)
        width = wide if found["w"] else _rounded(box.width * high / box.height)
        height = high if found["h"] else _rounded(box.height * wide / box.width)
    if width < 1 or height < 1:
        raise RefusedError(400, f"the size {text!r} has no px")
    if version == 3 and not enlarges and (width > box.width or height > box.height):
        raise RefusedError(
            400, f"{width}x{height} px are more than the region has; put ^ before the size"
        )
    answer_px = rotated_px(width, height, degrees)
    if not limits.hold(*answer_px):
        raise RefusedError(
            400,
            f"{answer_px[0]}x{answer_px[1]} px are over the limits that info.json states; "
            "ask for less, or for max",
        )
    if not limits.allow(width, height, box):
        most = _scaled_down(box, room, limits, degrees)
        raise RefusedError(
            400,
            f"{width}x{height} px of this part cannot be inferred in time here; the most is "
            f"{most[0]}x{most[1]}; ask for less, or for a file by /api/enlarge",
        )
    return width, height


def _scaled_down(box: Box, share: float, limits: Limits, degrees: float) -> tuple[int, int]:
    width, height = max(1, _rounded(box.width * share)), max(1, _rounded(box.height * share))
    if not limits.allow(width, height, box):  # rounded over the zoom, to another network's
        width, height = max(1, int(box.width * share)), max(1, int(box.height * share))
    while not limits.hold(*rotated_px(width, height, degrees)):  # rounded over them
        width, height = max(1, int(box.width * share)), max(1, int(box.height * share))
        share *= _SMALLER
    return width, height


def _rotation(text: str) -> tuple[bool, float]:
    found = _ROTATION.fullmatch(text)
    if found is None or float(found[2]) > 360:
        raise RefusedError(400, f"cannot understand the rotation {text!r}")
    return bool(found[1]), round(float(found[2]), _DEGREE_DECIMALS) % 360


def _whole(digits: str) -> int:
    if len(digits) > _LONGEST_DIGITS:
        raise RefusedError(400, "a number is too long")
    return int(digits or 0)


def _rounded(length: float) -> int:
    return floor(length + 0.5)


def scale_factors(width: int, height: int) -> list[int]:
    """List powers of two up to the one at which the whole picture fits into one tile."""
    steps = max(0, -floor(-log2(max(width, height) / TILE_PX)))
    return [2**step for step in range(steps + 1)]


def tile_sizes(width: int, height: int, limits: Limits) -> list[dict[str, int]]:
    """List sizes of the whole picture that are quick to make, smallest first."""
    sizes = []
    for factor in reversed(scale_factors(width, height)):
        size = (-(-width // factor), -(-height // factor))
        if limits.hold(*size) and limits.allow(*size, Box(0, 0, width, height)):
            sizes.append({"width": size[0], "height": size[1]})
    return sizes
