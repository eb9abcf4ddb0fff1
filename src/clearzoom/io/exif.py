"""EXIF, changed in place: no byte moves, so maker notes with offsets of their own stay whole."""

import struct
from collections.abc import Iterator
from dataclasses import dataclass

_HEAD = b"Exif\0\0"
_ORIENTATION, _X_RESOLUTION, _Y_RESOLUTION, _UNIT = 0x0112, 0x011A, 0x011B, 0x0128
_WIDTH, _HEIGHT, _EXIF_IFD = 0xA002, 0xA003, 0x8769
_SHORT, _LONG, _RATIONAL = 3, 4, 5


@dataclass(frozen=True)
class _Entry:
    tag: int
    kind: int
    count: int
    at: int
    """Where its 12 bytes begin."""


def _entries(tiff: bytes | bytearray, order: str, ifd: int) -> Iterator[_Entry]:
    (count,) = struct.unpack_from(order + "H", tiff, ifd)
    for index in range(count):
        at = ifd + 2 + 12 * index
        tag, kind, values = struct.unpack_from(order + "HHI", tiff, at)
        yield _Entry(tag, kind, values, at)


def strip_head(exif: bytes) -> bytes:
    """Take away the "Exif" that JPEG puts before the TIFF structure."""
    return exif.removeprefix(_HEAD)


def updated_exif(
    exif: bytes, width_px: int, height_px: int, dpi: tuple[float, float] | None
) -> bytes:
    """Make EXIF true for the enlarged picture.

    Orientation becomes 1, since it was applied; size and resolution are rewritten where they stand.
    A thumbnail that still lies on its side is no longer pointed to.

    Args:
        exif: a TIFF structure, with or without "Exif" before it.
        width_px: of the result.
        height_px: of the result.
        dpi: of the result, or None to leave what stands.

    Returns:
        The structure, of the same length, without "Exif" before it.

    Raises:
        ValueError: it is no TIFF structure, or its offsets lead nowhere.
    """
    tiff = bytearray(strip_head(exif))
    orders = {b"II*\0": "<", b"MM\0*": ">"}
    try:
        order = orders[bytes(tiff[:4])]
        (first,) = struct.unpack_from(order + "I", tiff, 4)
        entries = list(_entries(tiff, order, first))
        following = first + 2 + 12 * len(entries)
        if _is_turned(tiff, order, entries) and following + 4 <= len(tiff):
            struct.pack_into(order + "I", tiff, following, 0)
        for entry in entries:
            if entry.tag == _EXIF_IFD and entry.kind == _LONG:
                (below,) = struct.unpack_from(order + "I", tiff, entry.at + 8)
                for inner in list(_entries(tiff, order, below)):
                    _rewrite(tiff, order, inner, width_px, height_px, None)
            else:
                _rewrite(tiff, order, entry, width_px, height_px, dpi)
    except (KeyError, struct.error) as error:
        raise ValueError("the EXIF block is damaged") from error
    return bytes(tiff)


def _is_turned(tiff: bytearray, order: str, entries: list[_Entry]) -> bool:
    for entry in entries:
        if (entry.tag, entry.kind, entry.count) == (_ORIENTATION, _SHORT, 1):
            return bool(struct.unpack_from(order + "H", tiff, entry.at + 8)[0] in range(2, 9))
    return False


def _rewrite(
    tiff: bytearray,
    order: str,
    entry: _Entry,
    width_px: int,
    height_px: int,
    dpi: tuple[float, float] | None,
) -> None:
    if entry.count != 1:
        return
    if entry.tag == _ORIENTATION and entry.kind == _SHORT:
        struct.pack_into(order + "H", tiff, entry.at + 8, 1)
    elif entry.tag in (_WIDTH, _HEIGHT) and entry.kind in (_SHORT, _LONG):
        size = width_px if entry.tag == _WIDTH else height_px
        struct.pack_into(order + "HII", tiff, entry.at + 2, _LONG, 1, size)
    elif dpi and entry.tag == _UNIT and entry.kind == _SHORT:
        struct.pack_into(order + "H", tiff, entry.at + 8, 2)
    elif dpi and entry.tag in (_X_RESOLUTION, _Y_RESOLUTION) and entry.kind == _RATIONAL:
        (where,) = struct.unpack_from(order + "I", tiff, entry.at + 8)
        value = dpi[entry.tag == _Y_RESOLUTION]
        struct.pack_into(order + "II", tiff, where, round(value * 1000), 1000)


def exif_with_resolution(exif: bytes | None, dpi: tuple[float, float]) -> bytes:
    """Make EXIF state a resolution, for formats that state it nowhere else.

    Args:
        exif: from ``updated_exif``, or None for a block with nothing else.
        dpi: horizontal, vertical.

    Returns:
        The block; where tags were missing with a new first directory behind it, so that no other
        byte moved.

    Raises:
        ValueError: it is no TIFF structure, or its offsets lead nowhere.
    """
    exif = exif or struct.pack("<4sIHI", b"II*\0", 8, 0, 0)
    order = "<" if exif.startswith(b"II") else ">"
    try:
        (first,) = struct.unpack_from(order + "I", exif, 4)
        old = list(_entries(exif, order, first))
        following = first + 2 + 12 * len(old)
        # Some blocks end without saying that no directory follows.
        after = 0
        if following + 4 <= len(exif):
            (after,) = struct.unpack_from(order + "I", exif, following)
    except struct.error as error:
        raise ValueError("the EXIF block is damaged") from error
    wanted = {_X_RESOLUTION: _RATIONAL, _Y_RESOLUTION: _RATIONAL, _UNIT: _SHORT}
    fitting = {
        entry.tag for entry in old if (entry.kind, entry.count) == (wanted.get(entry.tag), 1)
    }
    if fitting == set(wanted):
        return exif
    kept = {entry.tag: exif[entry.at : entry.at + 12] for entry in old if entry.tag not in wanted}
    block = exif + b"\0" * (len(exif) % 2)
    values_at = len(block) + 2 + 12 * (len(kept) + 3) + 4
    for place, tag in enumerate((_X_RESOLUTION, _Y_RESOLUTION)):
        kept[tag] = struct.pack(order + "HHII", tag, _RATIONAL, 1, values_at + 8 * place)
    kept[_UNIT] = struct.pack(order + "HHIHH", _UNIT, _SHORT, 1, 2, 0)
    directory = b"".join(entry for _, entry in sorted(kept.items()))
    values = b"".join(struct.pack(order + "II", round(value * 1000), 1000) for value in dpi)
    head = block[:4] + struct.pack(order + "I", len(block)) + block[8:]
    return (
        head
        + struct.pack(order + "H", len(kept))
        + directory
        + struct.pack(order + "I", after)
        + values
    )
