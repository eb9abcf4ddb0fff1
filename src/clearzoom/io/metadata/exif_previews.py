"""Thumbnails and previews in EXIF that show more than the result: they are filled with zeros.

Without their pointers alone, the cropped parts of the picture could still be found in the file.
"""

import struct

from clearzoom.io.jpeg import STANDALONE

_STRIPS = {0x0111: 0x0117, 0x0201: 0x0202, 0x0144: 0x0145}
"""Tags with the offsets of data, and those with their lengths: strips, a JPEG, tiles."""
_SHORT, _LONG = 3, 4
_MOST_DIRECTORIES = 16
_JPEG = b"\xff\xd8\xff"


def empty_thumbnails(tiff: bytearray, order: str, pointer: int) -> None:
    """Fill the second directory and those after it with zeros, and the pictures they point to.

    Args:
        tiff: an EXIF block; it is changed in place.
        order: "<" or ">".
        pointer: the place of the offset of the second directory.
    """
    (ifd,) = struct.unpack_from(f"{order}I", tiff, pointer)
    struct.pack_into(f"{order}I", tiff, pointer, 0)
    for _ in range(_MOST_DIRECTORIES):
        if not 8 <= ifd <= len(tiff) - 6:
            return
        (count,) = struct.unpack_from(f"{order}H", tiff, ifd)
        end = ifd + 2 + 12 * count
        if not count or end > len(tiff) or ifd <= pointer < end:
            return
        numbers: dict[int, list[int]] = {}
        for at in range(ifd + 2, end, 12):
            tag, kind, values, where = struct.unpack_from(f"{order}HHII", tiff, at)
            if tag in _STRIPS or tag in _STRIPS.values():
                numbers[tag] = _numbers(tiff, order, kind, values, at)
        for start, length in _STRIPS.items():
            for where, size in zip(numbers.get(start, []), numbers.get(length, []), strict=False):
                _empty(tiff, where, where + size)
        following = struct.unpack_from(f"{order}I", tiff, end)[0] if end + 4 <= len(tiff) else 0
        _empty(tiff, ifd, min(end + 4, len(tiff)))
        ifd = following


def empty_previews(tiff: bytearray) -> int:
    """Fill all JPEGs in the block with zeros, also those in maker notes.

    Args:
        tiff: an EXIF block; it is changed in place.

    Returns:
        The number of JPEGs.
    """
    at, previews = tiff.find(_JPEG), 0
    while at >= 0:
        end = _end_of_jpeg(tiff, at)
        if end is not None:
            _empty(tiff, at, end)
            previews += 1
        at = tiff.find(_JPEG, at + 1)
    return previews


def _numbers(tiff: bytearray, order: str, kind: int, count: int, at: int) -> list[int]:
    form = {_SHORT: "H", _LONG: "I"}.get(kind)
    if form is None or not 0 < count <= 4096:
        return []
    size = struct.calcsize(f"<{form}") * count
    (where,) = (at + 8,) if size <= 4 else struct.unpack_from(f"{order}I", tiff, at + 8)
    if where + size > len(tiff):
        return []
    return list(struct.unpack_from(f"{order}{count}{form}", tiff, where))


def _empty(tiff: bytearray, start: int, end: int) -> None:
    start, end = max(8, start), min(end, len(tiff))  # The header of 8 bytes must stay.
    if start < end:
        tiff[start:end] = bytes(end - start)


def _end_of_jpeg(tiff: bytearray, start: int) -> int | None:
    """Return where a JPEG ends, or None if the three bytes only look like its start."""
    at = start + 2
    while at + 4 <= len(tiff) and tiff[at] == 0xFF:
        marker = tiff[at + 1]
        if marker == 0xDA:
            end = tiff.find(b"\xff\xd9", at)
            return len(tiff) if end < 0 else end + 2
        if marker in (0xFF, *STANDALONE):
            at += 1 if marker == 0xFF else 2
            continue
        (length,) = struct.unpack_from(">H", tiff, at + 2)
        if length < 2 or marker < 0xC0:
            return None
        at += 2 + length
    return None
