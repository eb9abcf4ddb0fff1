"""Regions of a picture that XMP names: faces, subjects and areas, transformed with the picture.

Regions stated as fractions of the picture change only if it was turned or cropped. All of them
refer to the stored picture, before its orientation is applied.

References:
    Metadata Working Group, Guidelines 2.0, 5.9 (mwg-rs). IPTC Photo Metadata Standard 2023.2,
    "Image Region". Microsoft, "People Tagging" (MP). Exif 2.32, SubjectArea, SubjectLocation.
"""

from collections.abc import Callable
from copy import deepcopy

from clearzoom.io.metadata.polygons import clipped
from clearzoom.io.metadata.xmp import EXIF
from clearzoom.io.metadata.xmp_packets import (
    Element,
    Field,
    fields_of,
    items_of,
    number_in,
    share,
    top_fields,
    whole,
)
from clearzoom.io.placement import Placement, Rectangle

_MWG = "{http://www.metadataworkinggroup.com/schemas/regions/}"
_AREA = "{http://ns.adobe.com/xmp/sType/Area#}"
_SIZE = "{http://ns.adobe.com/xap/1.0/sType/Dimensions#}"
_IPTC = "{http://iptc.org/std/Iptc4xmpExt/2008-02-29/}"
_MP = "{http://ns.microsoft.com/photo/1.2/}"
_MP_REGIONS = "{http://ns.microsoft.com/photo/1.2/t/RegionInfo#}Regions"
_MP_BOX = "{http://ns.microsoft.com/photo/1.2/t/Region#}Rectangle"


def place_regions(root: Element, placement: Placement) -> int:
    """Rewrite every region for the result.

    Args:
        root: the root of a packet; it is changed.
        placement: where the input's px lie in the result.

    Returns:
        The number of regions that were removed because they are outside of the result.
    """
    removed = 0
    for field in top_fields(root):
        if field.element is None:
            continue
        if field.name == f"{_MWG}Regions":
            removed += _place_mwg(field, placement)
        elif field.name == f"{_IPTC}ImageRegion":
            removed += _place_all(field, field.element, lambda item: _place_iptc(item, placement))
        elif field.name == f"{_MP}RegionInfo":
            removed += _place_mp(field, placement)
        elif field.name in (f"{{{EXIF}}}SubjectArea", f"{{{EXIF}}}SubjectLocation"):
            removed += _place_subject(field, placement)
    return removed


def _place_all(field: Field, holder: Element, place: Callable[[Element], bool]) -> int:
    """Rewrite each item of an array, and remove the property if no item is left."""
    items = items_of(holder)
    outside = [item for item in items if not place(item)]
    for item in outside:
        item.getparent().remove(item)
    if outside and len(outside) == len(items):
        field.remove()
    return len(outside)


def _place_mwg(field: Field, placement: Placement) -> int:
    parts = fields_of(field.element)
    stated = parts.get(f"{_MWG}AppliedToDimensions")
    width, height = (float(each) for each in placement.stored_px)
    if stated is not None and stated.element is not None:
        sizes = fields_of(stated.element)
        sides = sizes.get(f"{_SIZE}w"), sizes.get(f"{_SIZE}h")
        width, height = (number_in(side) or 0 for side in sides)
        # A few programs turn the regions themselves; the size then is that of the upright picture.
        if (width, height) == placement.upright_px != placement.stored_px:
            placement = placement.as_upright()
        unit = sizes.get(f"{_SIZE}unit")
        if width > 0 and height > 0 and (unit is None or unit.text == "pixel"):
            _set_size(sides, (width, height), placement)
    regions = parts.get(f"{_MWG}RegionList")
    if regions is None or regions.element is None:
        return 0
    applied = (width, height) if width > 0 and height > 0 else placement.stored_px
    return _place_all(field, regions.element, lambda item: _place_area(item, placement, applied))


def _set_size(
    sides: tuple[Field | None, Field | None], size: tuple[float, float], placement: Placement
) -> None:
    size = size[::-1] if placement.is_sideways else size
    for axis, side in enumerate(sides):
        if side is not None:
            ratio = placement.result_px[axis] / placement.upright_px[axis]
            side.set_text(whole(size[axis] * ratio))


def _place_area(item: Element, placement: Placement, applied: tuple[float, float]) -> bool:
    area = fields_of(item).get(f"{_MWG}Area")
    if area is None or area.element is None:
        return True
    parts = fields_of(area.element)
    numbers = {name: number_in(parts.get(f"{_AREA}{name}")) for name in "xywhd"}
    x, y = numbers["x"], numbers["y"]
    if x is None or y is None:
        return True
    unit = parts.get(f"{_AREA}unit")
    in_px = unit is not None and unit.text == "pixel"
    if not (in_px or placement.is_turned or placement.is_cut):
        return True
    result = placement.result_px if in_px else (1, 1)
    if in_px:
        x, y = x / applied[0], y / applied[1]
    values: dict[str, float] = {}
    if numbers["w"] is not None and numbers["h"] is not None:
        width, height = numbers["w"], numbers["h"]
        if in_px:
            width, height = width / applied[0], height / applied[1]
        box = placement.box_share(Rectangle.around(x, y, width, height))
        if box is None:
            return False
        values = {"w": box.width * result[0], "h": box.height * result[1]}
        middle = box.middle
    else:
        middle = placement.share(x, y)
        if not _inside(middle):
            return False
        if numbers["d"] is not None:  # a diameter, as a fraction of the shorter side
            times = placement.times[0] * (1 if in_px else min(placement.stored_px))
            values = {"d": numbers["d"] * times / (1 if in_px else min(placement.result_px))}
    values |= {"x": middle[0] * result[0], "y": middle[1] * result[1]}
    for name, number in values.items():
        parts[f"{_AREA}{name}"].set_text(whole(number) if in_px else share(number))
    return True


def _place_iptc(item: Element, placement: Placement) -> bool:
    boundary = fields_of(item).get(f"{_IPTC}RegionBoundary")
    if boundary is None or boundary.element is None:
        return True
    parts = fields_of(boundary.element)
    unit = parts.get(f"{_IPTC}rbUnit")
    in_px = unit is not None and unit.text == "pixel"
    if not (in_px or placement.is_turned or placement.is_cut):
        return True
    units = placement.stored_px if in_px else (1, 1)
    result = placement.result_px if in_px else (1, 1)

    def set_number(name: str, number: float) -> None:
        parts[f"{_IPTC}rb{name}"].set_text(whole(number) if in_px else share(number))

    vertices = parts.get(f"{_IPTC}rbVertices")
    if vertices is not None and vertices.element is not None:
        return _place_vertices(vertices.element, placement, units, result)
    x, y, width, height, radius = (
        number_in(parts.get(f"{_IPTC}rb{name}")) for name in ("X", "Y", "W", "H", "Rx")
    )
    if x is None or y is None:
        return True
    x, y = x / units[0], y / units[1]
    if width is not None and height is not None:
        box = placement.box_share(Rectangle(x, y, x + width / units[0], y + height / units[1]))
        if box is None:
            return False
        set_number("X", box.left * result[0])
        set_number("Y", box.top * result[1])
        set_number("W", box.width * result[0])
        set_number("H", box.height * result[1])
        return True
    x, y = placement.share(x, y)
    if not _inside((x, y)):
        return False
    set_number("X", x * result[0])
    set_number("Y", y * result[1])
    if radius is not None:  # a fraction of the width
        in_result_px = radius / units[0] * placement.stored_px[0] * placement.times[0]
        set_number("Rx", in_result_px / placement.result_px[0] * result[0])
    return True


def _place_vertices(
    element: Element, placement: Placement, units: tuple[int, int], result: tuple[int, int]
) -> bool:
    items = items_of(element)
    places = []
    for item in items:
        parts = fields_of(item)
        x, y = number_in(parts.get(f"{_IPTC}rbX")), number_in(parts.get(f"{_IPTC}rbY"))
        if x is None or y is None:
            return True
        places.append(placement.share(x / units[0], y / units[1]))
    inside = clipped(places)
    if items and not inside:
        return False
    text = whole if result != (1, 1) else share
    for place, (x, y) in enumerate(inside):
        if place < len(items):
            item = items[place]
        else:
            item = deepcopy(items[0])
            items[0].getparent().append(item)
        parts = fields_of(item)
        parts[f"{_IPTC}rbX"].set_text(text(x * result[0]))
        parts[f"{_IPTC}rbY"].set_text(text(y * result[1]))
    for item in items[len(inside) :]:
        item.getparent().remove(item)
    return True


def _place_mp(field: Field, placement: Placement) -> int:
    regions = fields_of(field.element).get(_MP_REGIONS)
    if regions is None or regions.element is None:
        return 0
    return _place_all(field, regions.element, lambda item: _place_mp_box(item, placement))


def _place_mp_box(item: Element, placement: Placement) -> bool:
    stated = fields_of(item).get(_MP_BOX)
    if stated is None or not (placement.is_turned or placement.is_cut):
        return True
    try:
        x, y, width, height = (float(each) for each in stated.text.split(","))
    except ValueError:
        return True
    box = placement.box_share(Rectangle(x, y, x + width, y + height))
    if box is not None:
        stated.set_text(", ".join(map(share, (box.left, box.top, box.width, box.height))))
    return box is not None


def _place_subject(field: Field, placement: Placement) -> int:
    items = items_of(field.element)
    try:
        numbers = [float(item.text) for item in items]
    except (TypeError, ValueError):
        return 0
    placed = place_subject(numbers, placement)
    if placed is None:
        field.remove()
        return 1
    for item, number in zip(items, placed, strict=True):
        item.text = f"{number}"
    return 0


def place_subject(numbers: list[float], placement: Placement) -> list[int] | None:
    """Transform EXIF's subject, which is a point, a circle or a rectangle.

    Args:
        numbers: x and y of the middle in px of the stored picture; a circle has its diameter as
            well, a rectangle its width and height.
        placement: where the input's px lie in the result.

    Returns:
        The numbers in px of the result, or None if the subject is outside of it.

    References:
        Exif 2.32, 4.6.5, SubjectArea and SubjectLocation.
    """
    width, height = placement.stored_px
    result = placement.result_px
    if len(numbers) not in (2, 3, 4):
        return [round(number) for number in numbers]
    x, y = numbers[0] / width, numbers[1] / height
    if len(numbers) == 4:
        box = placement.box_share(Rectangle.around(x, y, numbers[2] / width, numbers[3] / height))
        if box is None:
            return None
        middle, size = box.middle, [box.width * result[0], box.height * result[1]]
    else:
        middle = placement.share(x, y)
        if not _inside(middle):
            return None
        size = [number * placement.times[0] for number in numbers[2:]]
    return [int(whole(each)) for each in (middle[0] * result[0], middle[1] * result[1], *size)]


def _inside(place: tuple[float, float]) -> bool:
    return 0 <= place[0] <= 1 and 0 <= place[1] <= 1
