"""OME-XML in a TIFF's description, rewritten for a result.

References:
    The OME Data Model and File Formats, schema 2016-06: Pixels, TiffData, Shape, Plane.
"""

from typing import Any

from lxml import etree

from clearzoom.io.placement import Placement

_PHYSICAL = ("PhysicalSizeX", "PhysicalSizeY")
_PAIRS = (("X", "Y"), ("X1", "Y1"), ("X2", "Y2"))
_POSITIONS = tuple(f"Position{axis}{unit}" for axis in "XY" for unit in ("", "Unit"))

Element = Any
"""An element of lxml, which has no type stubs."""


def parsed_ome(text: str) -> Element | None:
    """Parse OME-XML.

    Args:
        text: the description of a TIFF.

    Returns:
        The root, or None if the text is something else.
    """
    if "OME" not in text or "<!DOCTYPE" in text:
        return None
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)
    try:
        root = etree.fromstring(text.strip().encode(), parser)
    except (etree.XMLSyntaxError, ValueError):
        return None
    return root if _name(root) == "OME" else None


def is_measured(root: Element) -> bool:
    """Tell whether OME-XML states the physical size of a px.

    Args:
        root: from ``parsed_ome``.
    """
    return any(each.get(name) for each in _all(root, "Pixels") for name in _PHYSICAL)


def placed_ome(root: Element, placement: Placement) -> tuple[str | None, list[str]]:
    """Rewrite the sizes, the physical size of a px, the regions and the file identifier.

    Args:
        root: from ``parsed_ome``; it is changed.
        placement: where the input's px lie in the result.

    Returns:
        The text, or None if it cannot be rewritten; and a line for each thing that could not be
        kept.
    """
    pixels = _all(root, "Pixels")
    if len(pixels) != 1:
        return None, [f"OME-XML of {len(pixels)} pictures is not kept: the result is one of them"]
    (of_picture,) = pixels
    notes = []
    for axis, side in zip("XY", placement.result_px, strict=True):
        of_picture.set(f"Size{axis}", f"{side}")
    _place_physical_sizes(of_picture, placement)
    # The UUID identified the input's file, and the elements below name it.
    root.attrib.pop("UUID", None)
    for each in _all(root, "UUID") + _all(root, "BinaryOnly"):
        each.getparent().remove(each)
    if placement.is_cut:
        moved = [each for each in _all(root, "Plane") if any(each.get(name) for name in _POSITIONS)]
        for each in moved:
            for name in _POSITIONS:
                each.attrib.pop(name, None)
        if moved:
            notes.append("the stage's position in OME-XML is not kept: the picture was cut")
    removed = sum(not _place_shape(each, placement) for each in _shapes(root))
    if removed:
        notes.append(f"{removed} regions of OME-XML are not kept")
    text = etree.tostring(root.getroottree(), encoding="UTF-8", xml_declaration=True)
    return text.decode(), notes


def as_8_bit_ome(root: Element) -> str:
    """State 8 bit as the type of samples.

    Args:
        root: from ``parsed_ome``; it is changed.
    """
    for each in _all(root, "Pixels"):
        each.set("Type", "uint8")
        if each.get("SignificantBits"):
            each.set("SignificantBits", "8")
    text: bytes = etree.tostring(root.getroottree(), encoding="UTF-8", xml_declaration=True)
    return text.decode()


def _name(node: Element) -> str:
    return etree.QName(node).localname if isinstance(node.tag, str) else ""


def _all(root: Element, name: str) -> list[Element]:
    return [each for each in root.iter() if _name(each) == name]


def _number(node: Element, name: str) -> float | None:
    try:
        return float(node.get(name))
    except (TypeError, ValueError):
        return None


def _place_physical_sizes(pixels: Element, placement: Placement) -> None:
    names = [(name, f"{name}Unit") for name in _PHYSICAL]
    sizes = [(_number(pixels, size), pixels.get(unit)) for size, unit in names]
    if placement.is_sideways:
        sizes.reverse()
    for (name, unit_name), (size, unit), times in zip(names, sizes, placement.times, strict=True):
        for attribute, value in ((name, size and f"{size / times:.12g}"), (unit_name, unit)):
            if value:
                pixels.set(attribute, value)
            else:
                pixels.attrib.pop(attribute, None)


def _shapes(root: Element) -> list[Element]:
    return [shape for union in _all(root, "Union") for shape in union if _name(shape)]


def _place_shape(shape: Element, placement: Placement) -> bool:
    """Move a shape with the picture; remove it and return False if it is outside or unknown."""
    numbers = {name: _number(shape, name) for pair in _PAIRS for name in pair}
    points = shape.get("Points")
    whole = _name(shape) not in ("Mask",) and not any(_name(each) == "Transform" for each in shape)
    try:
        if not whole:
            raise ValueError
        corners = []
        for across, down in _PAIRS:
            x, y = numbers[across], numbers[down]
            if x is not None and y is not None:
                corners.append(_placed(x, y, placement))
                _set(shape, across, down, corners[-1])
        if points:
            pairs = [tuple(map(float, each.split(","))) for each in points.split()]
            moved = [_placed(x, y, placement) for x, y in pairs]
            corners += moved
            shape.set("Points", " ".join(f"{x:.9g},{y:.9g}" for x, y in moved))
        _place_extent(shape, placement, corners)
        width, height = placement.result_px
        sides = list(zip(*corners, strict=True))
        if not sides or max(sides[0]) < 0 or max(sides[1]) < 0:
            raise ValueError
        if min(sides[0]) > width or min(sides[1]) > height:
            raise ValueError
    except (TypeError, ValueError):
        shape.getparent().remove(shape)
        return False
    return True


def _place_extent(shape: Element, placement: Placement, corners: list[tuple[float, float]]) -> None:
    """Rewrite width and height, or the two radii, and add the opposite corners to the list."""
    for first, second in (("Width", "Height"), ("RadiusX", "RadiusY")):
        across, down = _number(shape, first), _number(shape, second)
        if across is None or down is None:
            continue
        if placement.is_sideways:
            across, down = down, across
        across, down = across * placement.times[0], down * placement.times[1]
        (x, y) = corners[0]
        if first == "Width":
            # After a turn the point may be any corner, but X and Y state the upper left one.
            mirrored = placement.share(1, 1)
            start = placement.share(0, 0)
            x -= across if mirrored[0] < start[0] else 0
            y -= down if mirrored[1] < start[1] else 0
            _set(shape, "X", "Y", (x, y))
            corners[0] = (x, y)
            corners.append((x + across, y + down))
        else:
            corners[:] = [(x - across, y - down), (x + across, y + down)]
        _set(shape, first, second, (across, down))


def _placed(x: float, y: float, placement: Placement) -> tuple[float, float]:
    (stored_width, stored_height), (width, height) = placement.stored_px, placement.result_px
    across, down = placement.share(x / stored_width, y / stored_height)
    return across * width, down * height


def _set(node: Element, first: str, second: str, values: tuple[float, float]) -> None:
    for name, value in zip((first, second), values, strict=True):
        node.set(name, f"{value:.9g}")
