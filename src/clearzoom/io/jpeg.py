"""The coding of a JPEG, read from its markers before the picture is decoded."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

START_OF_SCAN, END = 0xDA, 0xD9

_FRAMES = {*range(0xC0, 0xD0), 0xF7} - {0xC4, 0xC8, 0xCC}
_JPEG_LS = 0xF7
_IN_ORDER = (0xC0, 0xC1, 0xC9)  # sequential: not progressive, lossless or hierarchical
STANDALONE = frozenset({0x01, *range(0xD0, 0xD9)})
"""Markers without a length: TEM, the restart markers and the start of a picture (B.1.1.3)."""
_MOST_SEGMENTS = 100_000
_NAMES = {0xCB: "lossless arithmetic"} | dict.fromkeys(
    (0xC5, 0xC6, 0xC7, 0xCD, 0xCE, 0xCF), "hierarchical"
)


@dataclass(frozen=True)
class PlainScan:
    """A JPEG with one scan of all channels, from the top down, and no hierarchy.

    ``height_at`` is the place in the file of the two bytes that state the height, and ``row_px`` is
    the height of a row of blocks.
    """

    height_px: int
    height_at: int
    row_px: int


def unsupported_coding(file: BinaryIO) -> str | None:
    """Name the coding of a JPEG that no decoder here knows.

    Args:
        file: a JPEG.

    Returns:
        The name, or None if the coding is supported or the file is damaged.

    References:
        ITU-T T.81, table B.1 and B.2.2; T.87 for JPEG-LS.
    """
    for marker, _, data in markers(file):
        if marker in _FRAMES:
            return _name_of(marker, data[0])
        if marker in (START_OF_SCAN, END):
            return None
    return None


def plain_scan(path: Path) -> PlainScan | None:
    """Read the height of a JPEG whose rows are decoded one after the other.

    If the channels differ in height (vertical subsampling), libjpeg reads ahead, so such a JPEG
    does not count.

    Args:
        path: a JPEG.

    Returns:
        The facts about its scan, or None if the JPEG is coded in another way.

    References:
        ITU-T T.81, B.2.2 and B.2.3.
    """
    scan, channels = None, 0
    with path.open("rb") as file:
        for marker, at, _ in markers(file):
            if marker in _FRAMES:
                file.seek(at)
                head = file.read(6)
                channels = head[5] if len(head) == 6 else 0
                heights = {each & 15 for each in file.read(3 * channels)[1::3]}
                if marker not in _IN_ORDER or len(heights) != 1 or 0 in heights:
                    return None
                scan = PlainScan(int.from_bytes(head[1:3]), at + 1, 8 * heights.pop())
            elif marker == START_OF_SCAN:
                file.seek(at)
                return scan if file.read(1) == bytes([channels]) else None
            elif marker == END:
                return None
    return None


def markers(file: BinaryIO) -> Iterator[tuple[int, int, bytes]]:
    """List the segments before a JPEG's px, and skip stray bytes between them, as libjpeg does.

    Args:
        file: a JPEG.

    Yields:
        The marker's second byte, the place where the content begins, and its first six bytes. The
        last marker is the start of the first scan, or the end of the picture.
    """
    at = 2
    for _ in range(_MOST_SEGMENTS):
        file.seek(at)
        head = file.read(10)
        start = head.find(b"\xff")
        if len(head) < 10 or start < 0:
            return
        marker = head[start + 1] if start < 9 else 0xFF
        if start or marker == 0xFF or marker in STANDALONE:  # No segment begins here.
            at += start or (1 if marker == 0xFF else 2)
            continue
        yield marker, at + 4, head[4:]
        if marker in (START_OF_SCAN, END):
            return
        at += 2 + int.from_bytes(head[2:4])


def _name_of(marker: int, bits: int) -> str | None:
    if marker == _JPEG_LS:
        return "JPEG-LS"
    if bits != 8:
        return f"JPEG with {bits}-bit samples"
    return f"JPEG in {_NAMES[marker]} coding" if marker in _NAMES else None
