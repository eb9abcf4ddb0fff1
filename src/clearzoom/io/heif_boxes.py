"""The boxes of HEIC and AVIF: what they say of the picture that is shown, and a gain map beside it.

References:
    ISO/IEC 14496-12, 4.2 (boxes), 8.11 (meta). ISO/IEC 23008-12, 6.5.10 (irot), 6.5.12 (imir),
    9.3.1 (ipma). ISO 21496-1, annex C (tmap).
"""

import struct
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

_LONGEST = 2**24
_MOST_BOXES = 1000
_TURNED = {0: 1, 1: 8, 2: 3, 3: 6}
"""EXIF's number for so many quarter turns against the clock."""
_TOP_TO_BOTTOM = {1: 4, 8: 5, 3: 2, 6: 7}
_LEFT_TO_RIGHT = {1: 2, 8: 7, 3: 4, 6: 5}
"""The same, mirrored afterwards."""


def boxes(data: bytes, at: int, end: int) -> Iterator[tuple[bytes, int, int]]:
    """Give the kind of each box, and where its content begins and ends.

    Args:
        data: with boxes one after another.
        at: where the first begins.
        end: where the last ends.
    """
    while at + 8 <= end:
        size, head = struct.unpack_from(">I", data, at)[0], 8
        if size == 1:  # the true size follows, in 64 bit
            size, head = struct.unpack_from(">Q", data, at + 8)[0], 16
        elif size == 0:  # up to the end
            size = end - at
        if size < head:
            return
        yield data[at + 4 : at + 8], at + head, min(at + size, end)
        at += size


def primary_properties(path: Path) -> list[tuple[bytes, bytes]]:
    """Give the kind and content of each property of the picture that is shown, in their order.

    Args:
        path: a HEIC or AVIF; where it is damaged or built in another way, none is found.
    """
    try:
        return _of_primary_item(_meta(path))
    except (OSError, struct.error, LookupError):
        return []


def applied_orientation(path: Path) -> int:
    """Say how readers turn the stored px of a HEIC or AVIF, whatever EXIF says.

    Args:
        path: a HEIC or AVIF.

    Returns:
        EXIF's number, 1 to 8; 1 where nothing is said or the file is built in another way.
    """
    number = 1
    for kind, content in primary_properties(path):
        if kind == b"irot" and content:
            number = _TURNED[content[0] & 3]
        elif kind == b"imir" and content:
            number = (_LEFT_TO_RIGHT if content[0] & 1 else _TOP_TO_BOTTOM)[number]
    return number


def holds_gain_map(path: Path) -> bool:
    """Say whether a HEIC or AVIF names a gain map among its items, as ISO or as Apple does.

    Args:
        path: a HEIC or AVIF.
    """
    try:
        meta = _meta(path)
    except (OSError, struct.error, LookupError):
        return False
    return b"tmap" in meta or b":hdrgainmap" in meta


def top_boxes(path: Path, wanted: bytes) -> Iterator[bytes]:
    """Give the content of each box of a kind that lies in no other, up to 16 MiB of it.

    Args:
        path: of a file with boxes; where it is damaged, those before are read.
        wanted: the kind.
    """
    with path.open("rb") as file, suppress(struct.error):
        for _ in range(_MOST_BOXES):
            (size, kind), head = struct.unpack(">I4s", file.read(8)), 8
            if size == 1:
                (size,), head = struct.unpack(">Q", file.read(8)), 16
            at = file.tell()
            if kind == wanted:
                yield file.read(min(max(0, size - head), _LONGEST) if size else _LONGEST)
            if size < head:
                return
            file.seek(at + size - head)


def _meta(path: Path) -> bytes:
    """The content of the file's meta box, without its version."""
    for content in top_boxes(path, b"meta"):
        return content[4:]
    raise LookupError("no meta box")


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
    """The numbers of an item's properties, in their order, from 1."""
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
