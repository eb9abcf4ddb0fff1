"""Photoshop's image resources, rewritten for a result: clipping paths, resolution, thumbnails.

References:
    Adobe Photoshop File Formats Specification, "Image Resources Section", "Path resource format".
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass, replace

from clearzoom.io.placement import Placement

HEAD = b"Photoshop 3.0\0"
"""A JPEG stores this before the resources."""

IPTC = 1028
_SIGNATURES = (b"8BIM", b"MeSa", b"AgHg", b"PHUT", b"DCSR")
_RESOLUTION, _GUIDES, _SLICES, _PIXEL_SHAPE = 1005, 1032, 1050, 1064
_THUMBNAILS = (1033, 1036)
_PATHS = (1025, *range(2000, 2999))
# IPTC, the ICC profile, EXIF and XMP are read and written as blocks of their own.
_ELSEWHERE = (IPTC, 1039, 1058, 1059, 1060)
# Captions and their checksum, print settings, copyright, addresses, light and the name of the
# clipping path hold for any number of px.
_UNCHANGED = (
    *(1008, 1010, 1011, 1012, 1013, 1016, 1020, 1034, 1035, 1037, 1041, 1049, 1054, 1061, 1062),
    *(1082, 1083, 2999, 10000),
)
# The compression, state of layers, display, version and counters of the old file mean nothing now.
_OF_THE_FILE = (1024, 1026, 1030, 1044, 1057, 1069, 1072, 1077)
_NAMES = {
    1006: "names of channels",
    1045: "names of channels",
    _GUIDES: "guides",
    _SLICES: "slices",
    1053: "names of channels",
    1065: "layer comps",
    1080: "counts",
}
_KNOTS = (1, 2, 4, 5)
_RECORD_BYTES = 26
_ONE = 2**24  # Paths store 8.24 fixed-point fractions of the picture's height or width.


@dataclass(frozen=True)
class Resource:
    """One resource: Photoshop's number, its name, its bytes."""

    kind: int
    name: bytes
    data: bytes
    signature: bytes = b"8BIM"

    def packed(self) -> bytes:
        """Return the bytes of the resource; name and data are padded to an even length."""
        name = bytes([len(self.name)]) + self.name
        name += b"\0" * (len(name) % 2)
        head = self.signature + struct.pack(">H", self.kind) + name
        padding = b"\0" * (len(self.data) % 2)
        return head + struct.pack(">I", len(self.data)) + self.data + padding


def resources_in(block: bytes) -> Iterator[Resource]:
    """Read the resources one after the other.

    Args:
        block: the resources, with or without ``HEAD``.

    Raises:
        ValueError: it ends within a resource.
    """
    block = block.removeprefix(HEAD)
    at = 0
    while block[at : at + 4] in _SIGNATURES:
        signature = block[at : at + 4]
        try:
            kind, named = struct.unpack_from(">HB", block, at + 4)
            name = block[at + 7 : at + 7 + named]
            at += 6 + named + 1 + (named + 1) % 2
            (length,) = struct.unpack_from(">I", block, at)
        except struct.error as error:
            raise ValueError("the resources are cut") from error
        at += 4
        if at + length > len(block):
            raise ValueError("the resources are cut")
        yield Resource(kind, name, block[at : at + length], signature)
        at += length + length % 2


def placed_photoshop(
    block: bytes, placement: Placement, dpi: tuple[float, float] | None
) -> tuple[bytes | None, list[str]]:
    """Rewrite resources so that they describe the result.

    Args:
        block: the input's resources, without ``HEAD``.
        placement: where the input's px lie in the result.
        dpi: the result's resolution, or None.

    Returns:
        The resources, or None if none is left; and a line for the resources that are dropped.
    """
    results, dropped = [], []
    changed = placement.is_turned or placement.is_cut
    try:
        for each in resources_in(block):
            if each.kind in _PATHS and changed:
                moved = _placed_path(each.data, placement)
                if moved is None:
                    dropped.append("a clipping path")
                else:
                    results.append(replace(each, data=moved))
            elif each.kind in _PATHS or each.kind in _UNCHANGED:
                results.append(each)
            elif each.kind == _RESOLUTION and dpi is not None and len(each.data) == 16:
                results.append(replace(each, data=_resolution(each.data, dpi)))
            elif each.kind == _PIXEL_SHAPE and len(each.data) == 12:
                results.append(replace(each, data=_pixel_shape(each.data, placement)))
            elif each.kind in _THUMBNAILS and not changed:
                results.append(each)
            elif not _is_insignificant(each):
                dropped.append(_NAMES.get(each.kind, f"resource {each.kind}"))
    except ValueError as error:
        return None, [f"Photoshop's resources are left out: {error}"]
    notes = [f"not kept of Photoshop: {', '.join(dict.fromkeys(dropped))}"] if dropped else []
    return b"".join(each.packed() for each in results) or None, notes


def _is_insignificant(resource: Resource) -> bool:
    """Tell whether a resource has no information on the picture, or none that is not elsewhere."""
    data = resource.data
    if resource.kind == _GUIDES:
        return data[12:16] == bytes(4)
    if resource.kind == _SLICES and data[:4] == b"\0\0\0\6" and len(data) >= 24:
        (name_length,) = struct.unpack_from(">I", data, 20)
        # Without slices there is one all the same: the whole picture.
        return data[24 + 2 * name_length :][:4] in (bytes(4), b"\0\0\0\1")
    return resource.kind in (*_ELSEWHERE, *_OF_THE_FILE, *_THUMBNAILS, _RESOLUTION)


def _placed_path(data: bytes, placement: Placement) -> bytes | None:
    """Move the points of a path with the picture; points of a path may lie outside of it."""
    if len(data) % _RECORD_BYTES:
        return None
    moved = bytearray(data)
    for at in range(0, len(data), _RECORD_BYTES):
        (selector,) = struct.unpack_from(">H", data, at)
        if selector not in _KNOTS:
            continue
        numbers = struct.unpack_from(">6i", data, at + 2)
        placed: list[int] = []
        for y, x in zip(numbers[::2], numbers[1::2], strict=True):
            across, down = placement.share(x / _ONE, y / _ONE)
            placed += [round(down * _ONE), round(across * _ONE)]
        try:
            struct.pack_into(">6i", moved, at + 2, *placed)
        except struct.error:  # The point is farther away than 128 pictures, the fixed-point limit.
            return None
    return bytes(moved)


def _resolution(data: bytes, dpi: tuple[float, float]) -> bytes:
    """Rewrite px per inch; the units in which Photoshop displays them stay."""
    fixed = [min(2**32 - 1, round(value * 65_536)) for value in dpi]
    return struct.pack(">I", fixed[0]) + data[4:8] + struct.pack(">I", fixed[1]) + data[12:]


def _pixel_shape(data: bytes, placement: Placement) -> bytes:
    (ratio,) = struct.unpack_from(">d", data, 4)
    if placement.is_sideways and ratio > 0:
        ratio = 1 / ratio
    return data[:4] + struct.pack(">d", ratio)


def photoshop_dpi(block: bytes) -> tuple[float, float] | None:
    """Read the resolution, in px per inch.

    Args:
        block: the resources.

    Returns:
        The horizontal and the vertical resolution, or None if there is none.
    """
    try:
        data = next((each.data for each in resources_in(block) if each.kind == _RESOLUTION), b"")
    except ValueError:
        return None
    if len(data) != 16:
        return None
    x, y = (struct.unpack_from(">I", data, at)[0] / 65_536 for at in (0, 8))
    return (x, y) if x and y else None


def in_segments(block: bytes, longest_bytes: int) -> Iterator[bytes]:
    """Distribute resources over the segments of a JPEG; no resource is divided.

    Args:
        block: the resources, without ``HEAD``.
        longest_bytes: the most bytes of a segment; only a single longer resource exceeds it.

    Yields:
        The content of each segment, with ``HEAD``.
    """
    piece = b""
    for each in resources_in(block):
        packed = each.packed()
        if piece and len(HEAD) + len(piece) + len(packed) > longest_bytes:
            yield HEAD + piece
            piece = b""
        piece += packed
    if piece:
        yield HEAD + piece
