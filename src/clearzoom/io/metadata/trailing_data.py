"""Data behind the end of a picture in its file that no part of the file refers to."""

import mmap
import re
from typing import BinaryIO

from clearzoom.io.metadata.auxiliary_media import MOTION, OTHER_PICTURES

ARCHIVE = "the ZIP archive behind the picture is not kept"

_SIGNATURES = (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"RIFF", b"GIF8")
_STARTS = (b"\xff\xd8", b"\x89PNG", b"RIFF")
_MARKER = re.compile(rb"\xff+([^\x00\x01\xd0-\xd8\xff])", re.DOTALL)
_CONTENT = re.compile(rb"[^\x00\xff\t\n\r ]")  # Files are often padded with these bytes.
_END_OF_JPEG = 0xD9
_SAMSUNG_LIST = b"SEFT"


def trailing_data_notes(file: BinaryIO) -> list[str]:
    """Name the data behind the end of a JPEG, PNG or WebP.

    Args:
        file: any picture; a JPEG, PNG or WebP is open from the disk.

    Returns:
        One line, or none: if there are no such data, if they are Samsung's list of its additions,
        or if the picture itself is cut off.
    """
    file.seek(0)
    if not file.read(4).startswith(_STARTS):
        return []
    with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        end = _end(data)
        content = _CONTENT.search(data, end) if end is not None else None
        if end is None or content is None or data[-4:] == _SAMSUNG_LIST:
            return []
        at = content.start()
        if b"ftyp" in data[max(end, at - 4) : at + 12]:
            return [MOTION]
        if data[at : at + 4] == b"PK\3\4":
            return [ARCHIVE]
        if data[max(end, at - 1) : at + 8].lstrip(b"\0").startswith(_SIGNATURES):
            return [OTHER_PICTURES]
        return [f"{len(data) - end:,} bytes behind the end of the picture are not kept"]


def _end(data: mmap.mmap) -> int | None:
    if data[:2] == b"\xff\xd8":
        return _end_of_jpeg(data)
    if data[:4] == b"RIFF":  # The size counts from behind itself; odd chunks are padded.
        size = int.from_bytes(data[4:8], "little")
        return 8 + size + size % 2
    at = 8
    while data[:4] == b"\x89PNG" and at + 12 <= len(data):
        length, kind = int.from_bytes(data[at : at + 4]), data[at + 4 : at + 8]
        at += 12 + length
        if kind == b"IEND":
            return at
    return None


def _end_of_jpeg(data: mmap.mmap) -> int | None:
    """Go from marker to marker up to the end of the picture.

    Entropy-coded data never contain such a marker: after 0xFF they have a zero byte or a restart
    marker (ITU-T T.81, B.1.1.5).
    """
    at = 2
    while marker := _MARKER.search(data, at):
        at = marker.end()
        if marker[1][0] == _END_OF_JPEG:
            return at
        at += int.from_bytes(data[at : at + 2])
    return None
