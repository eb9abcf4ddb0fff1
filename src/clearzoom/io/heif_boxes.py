"""The boxes of HEIC and AVIF: the properties of the primary picture, and its gain map.

References:
    ISO/IEC 14496-12, 4.2 (boxes), 8.11 (meta). ISO/IEC 23008-12, 6.5.10 (irot), 6.5.12 (imir),
    9.3.1 (ipma). ISO 21496-1, annex C (tmap).
"""

import struct
from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import BinaryIO

_LONGEST = 2**24
_MOST_BOXES = 1000
_ROTATED = {0: 1, 1: 8, 2: 3, 3: 6}
"""EXIF's orientation by the number of quarter turns counter-clockwise (irot)."""
_TOP_TO_BOTTOM = {1: 4, 8: 5, 3: 2, 6: 7}
_LEFT_TO_RIGHT = {1: 2, 8: 7, 3: 4, 6: 5}
"""EXIF's orientation if the picture is mirrored after the rotation (imir)."""


def boxes(data: bytes, at: int, end: int) -> Iterator[tuple[bytes, int, int]]:
    """List the boxes in some bytes.

    Args:
        data: the bytes, with one box after the other.
        at: where the first box begins.
        end: where the last box ends.

    Yields:
        The kind of a box, and where its content begins and ends.
    """
    while at + 8 <= end:
        size, head = struct.unpack_from(">I", data, at)[0], 8
        if size == 1:  # A 64-bit size follows the kind (4.2).
            size, head = struct.unpack_from(">Q", data, at + 8)[0], 16
        elif size == 0:  # The box extends to the end.
            size = end - at
        if size < head:
            return
        yield data[at + 4 : at + 8], at + head, min(at + size, end)
        at += size


def item_properties(meta: bytes) -> list[tuple[bytes, bytes]]:
    """List the properties of the primary picture in their order.

    Args:
        meta: the content of the file's meta box.

    Returns:
        The kind and content of each property; none if the box is damaged or has another structure.
    """
    try:
        return _of_primary_item(meta)
    except (struct.error, LookupError):
        return []


def applied_orientation(properties: Iterable[tuple[bytes, bytes]]) -> int:
    """Compute how readers rotate and mirror the stored px; EXIF's orientation does not count.

    Args:
        properties: kind and content of the properties of the primary picture.

    Returns:
        The orientation as EXIF numbers it, 1 to 8.
    """
    orientation = 1
    for kind, content in properties:
        if kind == b"irot" and content:
            orientation = _ROTATED[content[0] & 3]
        elif kind == b"imir" and content:
            mirrored = _LEFT_TO_RIGHT if content[0] & 1 else _TOP_TO_BOTTOM
            orientation = mirrored[orientation]
    return orientation


def holds_gain_map(meta: bytes) -> bool:
    """Tell whether a HEIC or AVIF has an item with a gain map, in ISO's or Apple's form.

    Args:
        meta: the content of the file's meta box.
    """
    return b"tmap" in meta or b":hdrgainmap" in meta


def meta_box(file: BinaryIO) -> bytes:
    """Read the content of the meta box without its version; no bytes if there is none.

    Args:
        file: any file.
    """
    file.seek(4)
    return next(top_boxes(file, b"meta"), b"")[4:] if file.read(4) == b"ftyp" else b""


def top_boxes(file: BinaryIO, kind: bytes) -> Iterator[bytes]:
    """Read the content of each top-level box of a kind, up to 16 MiB of it.

    Args:
        file: a file of boxes; behind a damaged box nothing is read.
        kind: four letters.
    """
    file.seek(0)
    with suppress(struct.error):
        for _ in range(_MOST_BOXES):
            (size, each), head = struct.unpack(">I4s", file.read(8)), 8
            if size == 1:
                (size,), head = struct.unpack(">Q", file.read(8)), 16
            at = file.tell()
            if each == kind:
                yield file.read(min(max(0, size - head), _LONGEST) if size else _LONGEST)
            if size < head:
                return
            file.seek(at + size - head)


def _of_primary_item(meta: bytes) -> list[tuple[bytes, bytes]]:
    inside = {kind: (at, end) for kind, at, end in boxes(meta, 0, len(meta))}
    at, _ = inside[b"pitm"]
    primary = int.from_bytes(meta[at + 4 : at + (8 if meta[at] else 6)])
    properties, associations = [], []
    for kind, begins, ends in boxes(meta, *inside[b"iprp"]):
        if kind == b"ipco":
            properties = list(boxes(meta, begins, ends))
        elif kind == b"ipma":
            associations += _associated(meta, begins, primary)
    known = [properties[index - 1] for index in associations if 0 < index <= len(properties)]
    return [(kind, meta[begins:ends]) for kind, begins, ends in known]


def _associated(meta: bytes, at: int, item: int) -> list[int]:
    """List the indices of an item's properties in their order; the first property is 1."""
    # Version 1 has 32-bit item numbers, flag 1 has 15-bit indices; the top bit means "essential".
    number_bytes, wide = 4 if meta[at] else 2, meta[at + 3] & 1
    (entries,) = struct.unpack_from(">I", meta, at + 4)
    at += 8
    for _ in range(entries):
        number, count = int.from_bytes(meta[at : at + number_bytes]), meta[at + number_bytes]
        at += number_bytes + 1
        size = 2 if wide else 1
        if number == item:
            most = 0x7FFF if wide else 0x7F
            places = range(at, at + size * count, size)
            return [int.from_bytes(meta[each : each + size]) & most for each in places]
        at += size * count
    return []
