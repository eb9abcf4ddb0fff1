"""The segments before the px of a JPEG.

References:
    ITU-T T.81, B.1.1.2 (markers) and B.1.1.4 (segments).
"""

from collections.abc import Iterator
from typing import BinaryIO

from clearzoom.io.jpeg import END, STANDALONE, START_OF_SCAN

APP0, APP11, APP13, COMMENT = 0xE0, 0xEB, 0xED, 0xFE


def jpeg_segments(file: BinaryIO) -> Iterator[tuple[int, bytes]]:
    """Read the segments of a JPEG; of a file with several JPEGs, those of the first.

    Args:
        file: any file; only a JPEG has segments.

    Yields:
        The marker's second byte and the content without its length. A segment that is cut off ends
        the list.
    """
    file.seek(0)
    if file.read(2) != b"\xff\xd8":
        return
    while file.read(1) == b"\xff":
        marker = file.read(1)
        while marker == b"\xff":  # Fill bytes may precede a marker (B.1.1.2).
            marker = file.read(1)
        if not marker or marker[0] in (END, START_OF_SCAN):
            return
        if marker[0] in STANDALONE:
            continue
        length = int.from_bytes(file.read(2), "big") - 2  # The length counts its own two bytes.
        data = file.read(length) if length >= 0 else b""
        if length < 0 or len(data) < length:
            return
        yield marker[0], data
