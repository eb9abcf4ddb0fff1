"""Boxes of an AVIF or HEIC: what it says of its picture, without decoding it.

References:
    ISO/IEC 23008-12 (HEIF), 6.5 and 9.3; ISO/IEC 14496-12, 4.2, 8.11 and 12.1.5.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_LONGEST_BYTES = 2**24


@dataclass(frozen=True)
class Nclx:
    """Colours as numbers of ITU-T H.273; ``full_range``: black is 0, not 16 of 255."""

    primaries: int
    transfer: int
    full_range: bool


@dataclass(frozen=True)
class Stated:
    """What is said of the picture that is shown. ``grey``: it is coded without colours."""

    nclx: Nclx | None
    grey: bool


def stated_in_boxes(path: Path) -> Stated:
    """Read what an AVIF or HEIC says of its picture.

    Args:
        path: of the file; where it is damaged, nothing is said.
    """
    try:
        properties = list(_of_primary_item(_meta(path)))
    except (struct.error, IndexError, ValueError):
        properties = []
    nclx, grey = None, False
    for kind, data in properties:
        if kind == b"colr" and data[:4] == b"nclx" and len(data) >= 10:
            primaries, transfer = struct.unpack_from(">2H", data, 4)
            nclx = Nclx(primaries, transfer, len(data) > 10 and bool(data[10] & 0x80))
        elif kind == b"av1C" and len(data) > 2:
            grey = grey or bool(data[2] & 0x10)
        elif kind == b"hvcC" and len(data) > 16:
            grey = grey or not data[16] & 3
        elif kind == b"pixi" and len(data) > 4:  # of a grid, whose tiles are other items
            grey = grey or data[4] == 1
    return Stated(nclx, grey)


def _meta(path: Path) -> bytes:
    with path.open("rb") as file:
        while len(head := file.read(8)) == 8:
            length, kind = struct.unpack(">I4s", head)
            read = 8
            if length == 1:
                (length,) = struct.unpack(">Q", file.read(8))
                read = 16
            if kind == b"meta":
                return file.read(min(length - read, _LONGEST_BYTES) if length else _LONGEST_BYTES)
            if length < read:
                break
            file.seek(length - read, 1)
    raise ValueError("there is no meta box")


def _boxes(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    at = 0
    while at + 8 <= len(data):
        length, kind = struct.unpack_from(">I4s", data, at)
        start = at + 8
        if length == 1:
            (length,) = struct.unpack_from(">Q", data, start)
            start += 8
        end = at + length if length else len(data)
        if end < start:
            return
        yield kind, data[start:end]
        at = end


def _of_primary_item(meta: bytes) -> Iterator[tuple[bytes, bytes]]:
    parts = dict(_boxes(meta[4:]))
    pitm = parts[b"pitm"] if b"pitm" in parts else bytes(6)
    (primary,) = struct.unpack_from(">I" if pitm[0] else ">H", pitm, 4)
    of_items = dict(_boxes(parts.get(b"iprp", b"")))
    properties = list(_boxes(of_items.get(b"ipco", b"")))
    table = of_items.get(b"ipma", bytes(8))
    wide, long = table[0] >= 1, table[3] & 1
    (items,) = struct.unpack_from(">I", table, 4)
    at = 8
    for _ in range(items):
        (item,) = struct.unpack_from(">I" if wide else ">H", table, at)
        at += 4 if wide else 2
        count = table[at]
        at += 1
        for _ in range(count):
            index = struct.unpack_from(">H", table, at)[0] & 0x7FFF if long else table[at] & 0x7F
            at += 2 if long else 1
            if item == primary and 0 < index <= len(properties):
                yield properties[index - 1]
