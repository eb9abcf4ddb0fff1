"""Replace the EXIF of an AVIF that libvips has just written, byte for byte.

libvips passes EXIF through libexif, which empties maker notes, and silently drops blocks of more
than 64 KB. Therefore libvips writes a small placeholder, the true block is appended to the file,
and the item location box (iloc) is changed to point to it.

References:
    ISO/IEC 14496-12, 8.11.3 (iloc) and 8.11.6 (iinf). ISO/IEC 23008-12, A.2.1 (Exif items).
"""

import struct
from pathlib import Path

from clearzoom.io.heif_boxes import boxes

STAND_IN = b"Exif\0\0" + struct.pack("<4sIHHHIII", b"II*\0", 8, 1, 0x0112, 3, 1, 1, 0)
"""The placeholder: a block with the orientation 1."""

# An Exif item begins with the offset of the TIFF structure, counted from behind that number.
_HEAD = b"\0\0\0\6Exif\0\0"
_MOST_BYTES = 2**24


def replace_exif(path: Path, exif: bytes) -> None:
    """Replace the EXIF block.

    Args:
        path: an AVIF that libvips has written with ``STAND_IN``.
        exif: a TIFF structure.

    Raises:
        ValueError: the file does not have the structure that libvips writes.
    """
    with path.open("r+b") as file:
        start = file.read(_MOST_BYTES)
        end = file.seek(0, 2)
        try:
            entry, base, old, length = _place_of_exif(start)
        except (struct.error, LookupError, ValueError) as error:
            raise ValueError("EXIF has no place in this AVIF") from error
        block = _HEAD + exif
        if end + 8 + len(block) >= 2**32:
            raise ValueError("EXIF would lie beyond 4 GiB of this AVIF")
        file.write((8 + len(block)).to_bytes(4) + b"mdat" + block)
        file.seek(entry)
        file.write(struct.pack(">II", end + 8 - base, len(block)))
        file.seek(old)
        file.write(bytes(length))


def _place_of_exif(start: bytes) -> tuple[int, int, int, int]:
    """Find EXIF's entry in iloc: its own place, the base of its offset, and the block's place."""
    (meta,) = (box for box in boxes(start, 0, len(start)) if box[0] == b"meta")
    inside = {kind: (at, end) for kind, at, end in boxes(start, meta[1] + 4, meta[2])}
    number = _number_of_exif(start, *inside[b"iinf"])
    at, _ = inside[b"iloc"]
    # Version 0, with offsets and lengths of 4 bytes and a base offset of 0 or 4 bytes.
    if start[at] != 0 or start[at + 4] != 0x44 or start[at + 5] & 0xF0 not in (0, 0x40):
        raise IndexError("another kind of list")
    base_bytes = start[at + 5] >> 4
    (items,) = struct.unpack_from(">H", start, at + 6)
    at += 8
    for _ in range(items):
        item, _ = struct.unpack_from(">HH", start, at)
        base = int.from_bytes(start[at + 4 : at + 4 + base_bytes])
        (extents,) = struct.unpack_from(">H", start, at + 4 + base_bytes)
        at += 6 + base_bytes
        if item == number:
            place, length = struct.unpack_from(">II", start, at)
            if extents != 1:
                raise IndexError("another kind of place")
            return at, base, base + place, length
        at += 8 * extents
    raise IndexError("no place")


def _number_of_exif(start: bytes, at: int, end: int) -> int:
    wide = start[at] != 0
    for kind, begins, _ in boxes(start, at + (8 if wide else 6), end):
        # Version 2 has the item's number, a protection index and the item's type.
        if kind == b"infe" and start[begins] == 2 and start[begins + 8 : begins + 12] == b"Exif":
            return int.from_bytes(start[begins + 4 : begins + 6])
    raise IndexError("no EXIF")
