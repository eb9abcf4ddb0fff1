"""The shape of a picture's px where a file states it without a length: JFIF, PNG and GIF.

References:
    JFIF 1.02 (units 0). PNG, third edition, 11.3.4.3 (pHYs). GIF89a, 18 (pixel aspect ratio).
"""

import struct
from pathlib import Path

from clearzoom.io.metadata.imagej import Calibration
from clearzoom.io.metadata.jpeg_segments import segments
from clearzoom.io.png import stated_px_per_unit

_APP0 = 0xE0
_GIF_SQUARE, _GIF_OFFSET = 64, 15


def pixel_aspect(path: Path) -> Calibration | None:
    """Read how many px lie on the same length across and down.

    Args:
        path: any picture.

    Returns:
        Both numbers; None where px are square or the file states a length.
    """
    with path.open("rb") as file:
        start = file.read(13)
    x = y = 0
    if start.startswith(b"\x89PNG"):
        x, y = stated_px_per_unit(path)
    elif start[:3] == b"GIF" and len(start) == 13 and start[12]:
        x, y = _GIF_SQUARE, start[12] + _GIF_OFFSET
    elif start[:2] == b"\xff\xd8":
        heads = (data for marker, data in segments(path) if marker == _APP0)
        head = next((data for data in heads if data[:5] == b"JFIF\0" and len(data) >= 12), b"")
        unit, x, y = struct.unpack_from(">BHH", head, 7) if head else (0, 0, 0)
        x, y = (x, y) if unit == 0 else (0, 0)
    return Calibration(x, y, "") if x and y and x != y else None
