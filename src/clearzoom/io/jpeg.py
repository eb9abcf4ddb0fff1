"""What a JPEG says of its coding, before it is decoded."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

START_OF_SCAN, END = 0xDA, 0xD9

_FRAMES = {*range(0xC0, 0xD0), 0xF7} - {0xC4, 0xC8, 0xCC}
_JPEG_LS = 0xF7
_IN_ORDER = (0xC0, 0xC1, 0xC9)  # neither progressive, nor lossless, nor hierarchical
_ALONE = {0x01, *range(0xD0, 0xD9)}
_MOST_SEGMENTS = 100_000
_NAMES = {0xCB: "lossless arithmetic"} | dict.fromkeys(
    (0xC5, 0xC6, 0xC7, 0xCD, 0xCE, 0xCF), "hierarchical"
)


@dataclass(frozen=True)
class PlainScan:
    """A picture coded in one scan from the top down, all channels together, without smaller ones.

    ``height_at``: where in the file its height stands, as two bytes. ``row_px``: the height of a
    row of its blocks.
    """

    height_px: int
    height_at: int
    row_px: int


def unsupported_coding(path: Path) -> str | None:
    """Name a coding that no decoder here knows; None: it is another, or the file is damaged.

    Args:
        path: a JPEG, or what begins like one.

    References:
        ITU-T T.81, table B.1 and B.2.2; T.87 for JPEG-LS.
    """
    with path.open("rb") as file:
        for marker, _, data in markers(file):
            if marker in _FRAMES:
                return _named(marker, data[0])
            if marker in (START_OF_SCAN, END):
                return None
    return None


def plain_scan(path: Path) -> PlainScan | None:
    """Say how high a picture is whose rows are decoded one after another; None: it is another.

    One with channels of several heights is none of them: its decoder looks ahead.

    Args:
        path: a JPEG.

    References:
        ITU-T T.81, B.2.2 and B.2.3.
    """
    found, channels = None, 0
    with path.open("rb") as file:
        for marker, at, _ in markers(file):
            if marker in _FRAMES:
                file.seek(at)
                head = file.read(6)
                channels = head[5] if len(head) == 6 else 0
                heights = {each & 15 for each in file.read(3 * channels)[1::3]}
                if marker not in _IN_ORDER or len(heights) != 1 or 0 in heights:
                    return None
                found = PlainScan(int.from_bytes(head[1:3]), at + 1, 8 * heights.pop())
            elif marker == START_OF_SCAN:
                file.seek(at)
                return found if file.read(1) == bytes([channels]) else None
            elif marker == END:
                return None
    return None


def markers(file: BinaryIO) -> Iterator[tuple[int, int, bytes]]:
    """Go through the segments before a JPEG's px, and over what stands between them by mistake.

    Args:
        file: a JPEG.

    Yields:
        The marker's second byte, where its content begins, and six bytes of that; the last is that
        of the first scan, or the end's.
    """
    at = 2
    for _ in range(_MOST_SEGMENTS):
        file.seek(at)
        head = file.read(10)
        start = head.find(b"\xff")
        if len(head) < 10 or start < 0:
            return
        marker = head[start + 1] if start < 9 else 0xFF
        if start or marker == 0xFF or marker in _ALONE:  # not where a segment begins
            at += start or (1 if marker == 0xFF else 2)
            continue
        yield marker, at + 4, head[4:]
        if marker in (START_OF_SCAN, END):
            return
        at += 2 + int.from_bytes(head[2:4])


def _named(marker: int, bits: int) -> str | None:
    if marker == _JPEG_LS:
        return "JPEG-LS"
    if bits != 8:
        return f"JPEG with {bits}-bit samples"
    return f"JPEG in {_NAMES[marker]} coding" if marker in _NAMES else None
