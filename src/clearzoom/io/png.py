"""What stands in a PNG before its px."""

import struct
from collections.abc import Iterator
from pathlib import Path

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_LONGEST_BYTES = 2**24
_INCH_PER_M = 0.0254


def head_chunks(path: Path) -> Iterator[tuple[bytes, bytes]]:
    """Give kind and data of the chunks before the px; data over 16 MiB is left out.

    Args:
        path: a PNG; of another file there are none.
    """
    with path.open("rb") as file:
        if file.read(8) != _SIGNATURE:
            return
        while len(head := file.read(8)) == 8 and head[4:] != b"IDAT":
            length = int.from_bytes(head[:4], "big")
            if length <= _LONGEST_BYTES:
                yield head[4:], file.read(length)
                file.seek(4, 1)
            else:
                file.seek(length + 4, 1)


def stated_png_dpi(path: Path) -> tuple[float, float] | None:
    """Read the resolution, in px per inch, wherever before the px it stands.

    Args:
        path: a PNG.
    """
    for kind, data in head_chunks(path):
        if kind == b"pHYs" and len(data) == 9:
            x, y, unit = struct.unpack(">IIB", data)
            return (x * _INCH_PER_M, y * _INCH_PER_M) if unit == 1 and x and y else None
    return None
