"""Small pictures in EXIF that show what the result does not: emptied, byte by byte.

Taking their pointers away would leave what was cut off in the file, for everyone to find.
"""

import struct

_STRIPS = {0x0111: 0x0117, 0x0201: 0x0202, 0x0144: 0x0145}
"""Where data begins, and how long it is: strips, a JPEG, tiles."""
_SHORT, _LONG = 3, 4
_MOST_DIRECTORIES = 16
_JPEG = b"\xff\xd8\xff"
_ALONE = (0x01, *range(0xD0, 0xD8))  # markers without a length


def empty_thumbnails(tiff: bytearray, order: str, pointer: int) -> None:
    """Empty the directories behind the first, with the pictures that they point to.

    Args:
        tiff: an EXIF block; is changed in place.
        order: "<" or ">".
        pointer: where it is said in which place the second directory begins.
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
    """Empty JPEGs wherever in the block they lie, as in maker notes.

    Args:
        tiff: an EXIF block; is changed in place.

    Returns:
        How many there were.
    """
    at, found = tiff.find(_JPEG), 0
    while at >= 0:
        end = _end_of_jpeg(tiff, at)
        if end is not None:
            _empty(tiff, at, end)
            found += 1
        at = tiff.find(_JPEG, at + 1)
    return found


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
    start, end = max(8, start), min(end, len(tiff))  # never the head
    if start < end:
        tiff[start:end] = bytes(end - start)


def _end_of_jpeg(tiff: bytearray, start: int) -> int | None:
    """Where a JPEG ends; None where there is none, but three bytes by chance."""
    at = start + 2
    while at + 4 <= len(tiff) and tiff[at] == 0xFF:
        marker = tiff[at + 1]
        if marker == 0xDA:
            end = tiff.find(b"\xff\xd9", at)
            return len(tiff) if end < 0 else end + 2
        if marker in (0xFF, *_ALONE):
            at += 1 if marker == 0xFF else 2
            continue
        (length,) = struct.unpack_from(">H", tiff, at + 2)
        if length < 2 or marker < 0xC0:
            return None
        at += 2 + length
    return None
