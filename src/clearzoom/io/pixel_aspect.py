"""The aspect ratio of px in files that state no length with it: JFIF, PNG and GIF.

References:
    JFIF 1.02 (units 0). PNG, third edition, 11.3.4.3 (pHYs). GIF89a, 18 (pixel aspect ratio).
"""

import struct

from clearzoom.io.metadata.imagej import Calibration
from clearzoom.io.metadata.jpeg_segments import APP0
from clearzoom.io.picture_file import PictureFile
from clearzoom.io.png import px_per_unknown_unit

_GIF_SQUARE, _GIF_OFFSET = 64, 15


def pixel_aspect(file: PictureFile) -> Calibration | None:
    """Read how many px cover the same length across and down.

    Args:
        file: any picture.

    Returns:
        Both numbers, or None if px are square or the file states a length.
    """
    x, y = px_per_unknown_unit(file.png_chunks)
    start = file.start
    if start[:3] == b"GIF" and len(start) >= 13 and start[12]:
        x, y = _GIF_SQUARE, start[12] + _GIF_OFFSET
    heads = (data for marker, data in file.jpeg_segments if marker == APP0)
    if head := next((data for data in heads if data[:5] == b"JFIF\0" and len(data) >= 12), b""):
        unit, x, y = struct.unpack_from(">BHH", head, 7)
        x, y = (x, y) if unit == 0 else (0, 0)
    return Calibration(x, y, "") if x and y and x != y else None
