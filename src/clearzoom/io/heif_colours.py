"""The colours that an AVIF or HEIC states of its picture, without decoding it.

References:
    ISO/IEC 23008-12 (HEIF), 6.5 and 9.3; ISO/IEC 14496-12, 4.2, 8.11 and 12.1.5.
"""

import struct
from dataclasses import dataclass
from pathlib import Path

from clearzoom.io.heif_boxes import primary_properties


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


def read_heif_colours(path: Path) -> Stated:
    """Read what an AVIF or HEIC says of its picture.

    Args:
        path: of the file; where it is damaged, nothing is said.
    """
    nclx, grey = None, False
    for kind, data in primary_properties(path):
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
