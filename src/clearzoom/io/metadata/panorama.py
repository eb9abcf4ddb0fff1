"""Panoramas: where the picture lies on its sphere, in px, as Google's GPano says in XMP.

References:
    developers.google.com/streetview/spherical-metadata
"""

from clearzoom.io.metadata.xmp_packets import Element, number_in, top_fields, whole
from clearzoom.io.placement import Box, Placement, turned

NAMESPACE = "http://ns.google.com/photos/1.0/panorama/"
_FULL = ("FullPanoWidthPixels", "FullPanoHeightPixels")
_AREA = ("CroppedAreaImageWidthPixels", "CroppedAreaImageHeightPixels")
_PLACE = ("CroppedAreaLeftPixels", "CroppedAreaTopPixels")
_INSIDE = tuple(f"LargestValidInteriorRect{each}" for each in ("Left", "Top", "Width", "Height"))


def place_panorama(root: Element, placement: Placement) -> None:
    """Make the sizes and offsets of a panorama true for the result.

    Its px need not be the picture's, as programs that reduce pictures leave them: they become
    larger by as much as the picture does.

    Args:
        root: of a packet; is changed.
        placement: of the result in the input.
    """
    fields = {field.name.rpartition("}")[2]: field for field in top_fields(root, NAMESPACE)}
    numbers = {name: number_in(field) for name, field in fields.items()}
    placed = {name: number for name, number in numbers.items() if number is not None}
    given = {name: number for name, number in placed.items() if number > 0}
    if not any(name in given for name in (*_FULL, *_AREA)):
        return
    area = [given.get(name, size) for name, size in zip(_AREA, placement.stored_px, strict=True)]
    full = [given.get(name, size) for name, size in zip(_FULL, area, strict=True)]
    left, top = (given.get(name, 0.0) for name in _PLACE)
    box = Box(left / full[0], top / full[1], (left + area[0]) / full[0], (top + area[1]) / full[1])
    ends = ((box.left, box.top), (box.right, box.bottom))
    corners = [turned(x, y, placement.orientation) for x, y in ends]
    if placement.is_sideways:
        full, area = full[::-1], area[::-1]
    said: dict[str, float] = {}
    for axis in (0, 1):
        times = placement.times[axis]
        # Of the panorama's px in one of the resized picture.
        ratio = area[axis] * times / placement.resized_px[axis]
        start = min(corner[axis] for corner in corners) * full[axis] * times
        said[_FULL[axis]] = full[axis] * times
        said[_PLACE[axis]] = start + placement.cut_px[axis] * ratio
        said[_AREA[axis]] = placement.result_px[axis] * ratio
    said |= _inside(given, placement, (said[_AREA[0]], said[_AREA[1]]))
    for name, number in said.items():
        if name in placed:
            fields[name].say(whole(number))
        elif placement.is_cut and name in (*_AREA, *_PLACE):  # what was the whole is none now
            beside = fields[next(iter(given))]
            beside.holder.set(f"{{{NAMESPACE}}}{name}", whole(number))


def _inside(
    given: dict[str, float], placement: Placement, area: tuple[float, float]
) -> dict[str, float]:
    """The largest rectangle without empty parts, in px of the picture."""
    if not all(name in given for name in _INSIDE[2:]):
        return {}
    left, top, width, height = (given.get(name, 0.0) for name in _INSIDE)
    across, down = (given.get(n, s) for n, s in zip(_AREA, placement.stored_px, strict=True))
    box = Box(left / across, top / down, (left + width) / across, (top + height) / down)
    left_over = placement.box_share(box) or Box(0, 0, 0, 0)
    numbers = (
        left_over.left * area[0],
        left_over.top * area[1],
        left_over.width * area[0],
        left_over.height * area[1],
    )
    return dict(zip(_INSIDE, numbers, strict=True))
