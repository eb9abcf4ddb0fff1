"""The tags of a TIFF's first directory as bytes, from a file or from an EXIF block.

References:
    TIFF 6.0, section 2 (directories and types). BigTIFF (Aware Systems): 64-bit counts and offsets.
"""

import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import BinaryIO

ASCII, SHORT, LONG = 2, 3, 4
COMPRESSION, PHOTOMETRIC, EXTRA_SAMPLES = 259, 262, 338
INTEROPERABILITY = 0xA005
"""The tag with the offset of the interoperability directory, which is not copied."""
MAP_TAGS = (33550, 33922, 34264, 34735)
"""GeoTIFF's tags that hold only for the px of the input."""

_BYTES_OF_KIND = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4}
_BYTES_OF_KIND |= {16: 8, 17: 8, 18: 8}  # BigTIFF's LONG8, SLONG8 and IFD8
_WORD_OF_KIND = {5: 4, 10: 4}  # A RATIONAL is two LONGs, each in the file's byte order.
_LONGEST_BYTES = 2**20
# The names of inks and GeoTIFF's parameters are texts, but they describe the samples.
_TEXT_OF_SAMPLES = (333, 34737)
# These are blocks and directories, even if a program states ASCII as their type.
_NO_TEXTS = (330, 700, 33723, 34377, 34665, 34675, 34853)
# Page number, Rating and RatingPercent, XPTitle to XPSubject.
_DESCRIBING = (0x0129, 0x4746, 0x4749, 0x9C9B, 0x9C9C, 0x9C9D, 0x9C9E, 0x9C9F)


@dataclass(frozen=True)
class Tag:
    """One tag; ``data`` holds ``count`` values of TIFF's type ``kind``, little-endian."""

    number: int
    kind: int
    count: int
    data: bytes


def describes(number: int, kind: int) -> bool:
    """Tell whether a tag describes the picture, and not how its samples are stored."""
    if number in _TEXT_OF_SAMPLES or number in _NO_TEXTS:
        return False
    return kind == ASCII or number in _DESCRIBING


def read_tags(file: BinaryIO, select: Callable[[int, int], bool]) -> Iterator[Tag]:
    """Read tags of the first directory; tags that are cut off or exceed 1 MiB are skipped.

    Args:
        file: a TIFF or BigTIFF of either byte order, or an EXIF block without "Exif" before it.
        select: is called with the number and the type of each tag, and selects those to read.

    Raises:
        ValueError: it is no TIFF, or its directory is cut off.
    """
    start = _exactly(file, 0, 4)
    order = {b"II": "<", b"MM": ">"}.get(start[:2])
    if order is None or struct.unpack(order + "H", start[2:])[0] not in (42, 43):
        raise ValueError("no TIFF structure")
    big = struct.unpack(order + "H", start[2:])[0] == 43
    word, count_of, size, room = ("Q", "Q", 20, 8) if big else ("I", "H", 12, 4)
    (first,) = struct.unpack(order + word, _exactly(file, 8 if big else 4, room))
    at = struct.calcsize("<" + count_of)
    (entries,) = struct.unpack(order + count_of, _exactly(file, first, at))
    if entries > 65_535:
        raise ValueError("its directory is damaged")
    directory = _exactly(file, first + at, entries * size)
    for place in range(0, len(directory), size):
        number, kind, count = struct.unpack_from(f"{order}HH{word}", directory, place)
        length = count * _BYTES_OF_KIND.get(kind, 0)
        if not select(number, kind) or not 0 < length <= _LONGEST_BYTES:
            continue
        data = directory[place + size - room : place + size][:length]
        if length > room:
            (where,) = struct.unpack(order + word, data)
            try:
                data = _exactly(file, where, length)
            except ValueError:
                continue
        yield Tag(number, kind, count, data if order == "<" else turned(data, kind))


def _exactly(file: BinaryIO, at: int, length: int) -> bytes:
    try:
        file.seek(at)
        data = file.read(length)
    except (OSError, OverflowError, ValueError) as error:  # The offset is out of range.
        raise ValueError("its directory is cut") from error
    if len(data) < length:
        raise ValueError("its directory is cut")
    return data


def turned(data: bytes, kind: int) -> bytes:
    """Convert values to the other byte order.

    Args:
        data: complete values.
        kind: their TIFF type.
    """
    step = _WORD_OF_KIND.get(kind, _BYTES_OF_KIND[kind])
    return b"".join(data[at : at + step][::-1] for at in range(0, len(data), step))


def packed_tags(tags: list[Tag], at: int) -> bytes:
    """Build a classic little-endian directory with its values behind it and no next directory.

    Args:
        tags: tags of different numbers.
        at: the offset of the directory in its file.
    """
    directory, values = b"", b""
    after = at + 2 + 12 * len(tags) + 4
    for tag in sorted(tags, key=lambda each: each.number):
        where = tag.data.ljust(4, b"\0")
        if len(tag.data) > 4:
            where = struct.pack("<I", after + len(values))
            values += tag.data + b"\0" * (len(tag.data) % 2)
        directory += struct.pack("<HHI", tag.number, tag.kind, tag.count) + where
    return struct.pack("<H", len(tags)) + directory + bytes(4) + values
