"""The segments before a JPEG's px."""

from collections.abc import Iterator
from pathlib import Path

APP13, COMMENT = 0xED, 0xFE

_START, _END, _SCAN = 0xD8, 0xD9, 0xDA
_ALONE = (0x01, *range(0xD0, 0xD8), _START)


def segments(path: Path) -> Iterator[tuple[int, bytes]]:
    """Read the segments of a JPEG, and of a JPEG's first picture where it has several.

    Args:
        path: a JPEG; of another file nothing is read.

    Yields:
        The marker's second byte, and the segment's bytes behind its length; one that is cut ends
        it.
    """
    with path.open("rb") as file:
        if file.read(2) != b"\xff\xd8":
            return
        while file.read(1) == b"\xff":
            marker = file.read(1)
            while marker == b"\xff":  # fills up
                marker = file.read(1)
            if not marker or marker[0] in (_END, _SCAN):
                return
            if marker[0] in _ALONE:
                continue
            length = int.from_bytes(file.read(2), "big") - 2
            data = file.read(length) if length >= 0 else b""
            if length < 0 or len(data) < length:
                return
            yield marker[0], data
