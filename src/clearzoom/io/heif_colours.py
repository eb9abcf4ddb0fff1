"""The colours that an AVIF or HEIC states for its picture, read without decoding it.

References:
    ISO/IEC 23008-12 (HEIF), 6.5 and 9.3; ISO/IEC 14496-12, 4.2, 8.11 and 12.1.5.
"""

import struct
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Nclx:
    """Code points of ITU-T H.273; with ``full_range`` black is 0, otherwise it is 16 of 255."""

    primaries: int
    transfer: int
    full_range: bool


@dataclass(frozen=True)
class HeifColours:
    """The statements about the primary picture; ``grey`` means that it is monochrome."""

    nclx: Nclx | None
    grey: bool


def heif_colours(properties: Iterable[tuple[bytes, bytes]]) -> HeifColours:
    """Interpret the properties that state colours.

    Args:
        properties: kind and content of the properties of the primary picture.
    """
    nclx, grey = None, False
    for kind, data in properties:
        if kind == b"colr" and data[:4] == b"nclx" and len(data) >= 10:
            primaries, transfer = struct.unpack_from(">2H", data, 4)
            nclx = Nclx(primaries, transfer, len(data) > 10 and bool(data[10] & 0x80))
        elif kind == b"av1C" and len(data) > 2:  # monochrome, the fourth bit of the third byte
            grey = grey or bool(data[2] & 0x10)
        elif kind == b"hvcC" and len(data) > 16:  # chroma_format_idc 0
            grey = grey or not data[16] & 3
        elif kind == b"pixi" and len(data) > 4:  # A grid's configuration is in its tiles' items.
            grey = grey or data[4] == 1
    return HeifColours(nclx, grey)
