"""Comments and XMP of a GIF: read, and added to one that was just written."""

from collections.abc import Iterator
from pathlib import Path

_EXTENSION, _PICTURE = 0x21, 0x2C
_COMMENT, _APPLICATION = 0xFE, 0xFF
_LONGEST_BYTES = 2**20
_XMP_NAME = b"XMP DataXMP"
# Wherever a reader that skips blocks by their lengths comes out of the packet, it finds the end.
_XMP_TRAILER = bytes([1, *range(255, -1, -1), 0])


def comments(path: Path) -> Iterator[bytes]:
    """Read the comments, wherever between the frames they stand.

    Args:
        path: a GIF; of another file nothing is read.
    """
    for label, blocks in _extensions(path):
        if label == _COMMENT and (said := b"".join(blocks)):
            yield said


def xmp_of_gif(path: Path) -> bytes | None:
    """Read the XMP packet.

    Args:
        path: a GIF; of another file nothing is read.
    """
    for label, blocks in _extensions(path):
        if label == _APPLICATION and blocks[:1] == [_XMP_NAME]:
            # The packet stands as it is: what readers take for lengths belongs to it.
            plain = b"".join(bytes([len(block)]) + block for block in blocks[1:])
            return plain.rpartition(_XMP_TRAILER[:4])[0] or plain
    return None


def application_names(path: Path) -> Iterator[bytes]:
    """Give the names of the programs that left something in the file, with their codes.

    Args:
        path: a GIF; of another file nothing is read.
    """
    for label, blocks in _extensions(path):
        if label == _APPLICATION and blocks:
            yield blocks[0]


def _extensions(path: Path) -> Iterator[tuple[int, list[bytes]]]:
    """Give label and blocks of each; of a long one what lies within the first MiB."""
    with path.open("rb") as file:
        head = file.read(13)
        if head[:4] != b"GIF8" or len(head) < 13:
            return
        file.read(_table_bytes(head[10]))
        while kind := file.read(1):
            label = -1
            if kind[0] == _EXTENSION:
                label = int.from_bytes(file.read(1), "big")
            elif kind[0] == _PICTURE and len(place := file.read(9)) == 9:
                file.read(_table_bytes(place[8]) + 1)
            else:
                return
            blocks, length = [], 0
            while (size := file.read(1)) and size[0]:
                block = file.read(size[0])
                length += len(block)
                if label >= 0 and length <= _LONGEST_BYTES:
                    blocks.append(block)
            if label >= 0:
                yield label, blocks


def _table_bytes(flags: int) -> int:
    return 3 * 2 ** ((flags & 7) + 1) if flags & 0x80 else 0


def comment_extension(comment: bytes) -> bytes:
    """Wrap a comment as GIF holds it.

    Args:
        comment: any bytes.
    """
    parts = (comment[at : at + 255] for at in range(0, len(comment), 255))
    packed = b"".join(bytes([len(part)]) + part for part in parts)
    return bytes([_EXTENSION, _COMMENT]) + packed + b"\0"


def xmp_extension(packet: bytes) -> bytes:
    """Wrap XMP as GIF holds it: plain, without the lengths that other blocks have.

    Args:
        packet: UTF-8, without zero bytes.

    References:
        XMP specification, part 3, 1.1.2.
    """
    head = bytes([_EXTENSION, _APPLICATION, len(_XMP_NAME)]) + _XMP_NAME
    return head + packet + _XMP_TRAILER


def with_extensions(encoded: bytes, extensions: bytes) -> bytes:
    """Add extensions to a GIF, before its first frame but behind how often it plays.

    Args:
        encoded: a whole GIF of our own making.
        extensions: one after the other.
    """
    at = 13 + _table_bytes(encoded[10])
    while encoded[at] == _EXTENSION and encoded[at + 1] == _APPLICATION:
        at += 2
        while encoded[at]:
            at += 1 + encoded[at]
        at += 1
    return encoded[:at] + extensions + encoded[at:]
