"""Panoramas: the position of a picture on its sphere, in the px of Google's GPano properties.

References:
    developers.google.com/streetview/spherical-metadata
"""

from clearzoom.io.metadata.xmp_packets import Element, number_in, parsed, top_fields, whole
from clearzoom.io.placement import Placement, Rectangle, turned

NAMESPACE = "http://ns.google.com/photos/1.0/panorama/"
_FULL = ("FullPanoWidthPixels", "FullPanoHeightPixels")
_AREA = ("CroppedAreaImageWidthPixels", "CroppedAreaImageHeightPixels")
_PLACE = ("CroppedAreaLeftPixels", "CroppedAreaTopPixels")
_INSIDE = tuple(f"LargestValidInteriorRect{each}" for each in ("Left", "Top", "Width", "Height"))


_PROJECTIONS = ("equirectangular", "cylindrical")


def is_full_circle(xmp: bytes | None) -> bool:
    """Tell whether a picture is a panorama of 360 degrees, whose left and right edges meet.

    Args:
        xmp: the picture's packet, or None.

    Example:
        >>> is_full_circle(None)
        False
    """
    if xmp is None or NAMESPACE.encode() not in xmp:
        return False
    try:
        fields = top_fields(parsed(xmp), NAMESPACE)
    except ValueError:
        return False
    stated = {field.name.rpartition("}")[2]: field for field in fields}
    projection = stated.get("ProjectionType")
    full_px = number_in(stated.get(_FULL[0]))
    if projection is None or projection.text.strip() not in _PROJECTIONS or not full_px:
        return False
    return number_in(stated.get(_AREA[0])) in (None, full_px)


def place_panorama(root: Element, placement: Placement) -> None:
    """Rewrite the sizes and offsets of a panorama for the result.

    Their px may differ from the picture's, since programs that reduce pictures leave them as they
    are. Therefore they are scaled by the same factor as the picture.

    Args:
        root: the root of a packet; it is changed.
        placement: where the input's px lie in the result.
    """
    fields = {field.name.rpartition("}")[2]: field for field in top_fields(root, NAMESPACE)}
    numbers = {name: number_in(field) for name, field in fields.items()}
    stated = {name: number for name, number in numbers.items() if number is not None}
    positive = {name: number for name, number in stated.items() if number > 0}
    if not any(name in positive for name in (*_FULL, *_AREA)):
        return
    area = [positive.get(name, size) for name, size in zip(_AREA, placement.stored_px, strict=True)]
    full = [positive.get(name, size) for name, size in zip(_FULL, area, strict=True)]
    left, top = (positive.get(name, 0.0) for name in _PLACE)
    box = Rectangle(
        left / full[0], top / full[1], (left + area[0]) / full[0], (top + area[1]) / full[1]
    )
    ends = ((box.left, box.top), (box.right, box.bottom))
    corners = [turned(x, y, placement.orientation) for x, y in ends]
    if placement.is_sideways:
        full, area = full[::-1], area[::-1]
    values: dict[str, float] = {}
    for axis in (0, 1):
        times = placement.times[axis]
        # The panorama's px for each px of the resized picture.
        ratio = area[axis] * times / placement.resized_px[axis]
        start = min(corner[axis] for corner in corners) * full[axis] * times
        values[_FULL[axis]] = full[axis] * times
        values[_PLACE[axis]] = start + placement.cut_px[axis] * ratio
        values[_AREA[axis]] = placement.result_px[axis] * ratio
    values |= _inside(positive, placement, (values[_AREA[0]], values[_AREA[1]]))
    for name, number in values.items():
        if name in stated:
            fields[name].set_text(whole(number))
        elif placement.is_cut and name in (*_AREA, *_PLACE):  # The default is the whole sphere.
            beside = fields[next(iter(positive))]
            beside.holder.set(f"{{{NAMESPACE}}}{name}", whole(number))


def _inside(
    stated: dict[str, float], placement: Placement, area: tuple[float, float]
) -> dict[str, float]:
    """Compute the largest rectangle without empty parts, in px of the picture."""
    if not all(name in stated for name in _INSIDE[2:]):
        return {}
    left, top, width, height = (stated.get(name, 0.0) for name in _INSIDE)
    across, down = (stated.get(n, s) for n, s in zip(_AREA, placement.stored_px, strict=True))
    box = Rectangle(left / across, top / down, (left + width) / across, (top + height) / down)
    left_over = placement.box_share(box) or Rectangle(0, 0, 0, 0)
    numbers = (
        left_over.left * area[0],
        left_over.top * area[1],
        left_over.width * area[0],
        left_over.height * area[1],
    )
    return dict(zip(_INSIDE, numbers, strict=True))
