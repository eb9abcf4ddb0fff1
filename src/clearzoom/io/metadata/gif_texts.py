"""Comments and XMP of a GIF: read, and added to a file that libvips has written.

References:
    GIF89a, 24 (comment extension) and 26 (application extension).
"""

from collections.abc import Iterable, Iterator
from typing import BinaryIO

Extension = tuple[int, list[bytes]]
"""The label of an extension, and its data blocks."""

_EXTENSION, _PICTURE = 0x21, 0x2C
_COMMENT, _APPLICATION = 0xFE, 0xFF
_LONGEST_BYTES = 2**20
_XMP_NAME = b"XMP DataXMP"
# A reader that takes the bytes of the packet for block lengths comes out somewhere in these 258
# bytes: each leads to the end of them, which is the block terminator (XMP, part 3, 1.1.2).
_XMP_TRAILER = bytes([1, *range(255, -1, -1), 0])


def comments(extensions: Iterable[Extension]) -> Iterator[bytes]:
    """Read the comments, before, between and behind the frames.

    Args:
        extensions: the extensions of the GIF.
    """
    for label, blocks in extensions:
        if label == _COMMENT and (comment := b"".join(blocks)):
            yield comment


def xmp_of_gif(extensions: Iterable[Extension]) -> bytes | None:
    """Read the XMP packet.

    Args:
        extensions: the extensions of the GIF.
    """
    for label, blocks in extensions:
        if label == _APPLICATION and blocks[:1] == [_XMP_NAME]:
            # The packet is not divided into blocks: the bytes read as lengths belong to it.
            plain = b"".join(bytes([len(block)]) + block for block in blocks[1:])
            return plain.rpartition(_XMP_TRAILER[:4])[0] or plain
    return None


def application_names(extensions: Iterable[Extension]) -> Iterator[bytes]:
    """List the identifiers of the application extensions, each with its authentication code.

    Args:
        extensions: the extensions of the GIF.
    """
    for label, blocks in extensions:
        if label == _APPLICATION and blocks:
            yield blocks[0]


def gif_extensions(file: BinaryIO) -> Iterator[Extension]:
    """Read the extensions of a GIF; of a long one, the blocks within the first MiB.

    Args:
        file: any file; only a GIF has extensions.
    """
    file.seek(0)
    head = file.read(13)
    if head[:4] != b"GIF8" or len(head) < 13:
        return
    file.read(_table_bytes(head[10]))
    while kind := file.read(1):
        label = -1
        if kind[0] == _EXTENSION:
            label = int.from_bytes(file.read(1), "big")
        elif kind[0] == _PICTURE and len(descriptor := file.read(9)) == 9:
            file.read(_table_bytes(descriptor[8]) + 1)  # and the minimum code size of LZW
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
    """Return the length of a colour table, 18 and 20: three bytes for each colour."""
    return 3 * 2 ** ((flags & 7) + 1) if flags & 0x80 else 0


def comment_extension(comment: bytes) -> bytes:
    """Build the extension for a comment: blocks of at most 255 bytes, and a terminator.

    Args:
        comment: any bytes.
    """
    parts = (comment[at : at + 255] for at in range(0, len(comment), 255))
    packed = b"".join(bytes([len(part)]) + part for part in parts)
    return bytes([_EXTENSION, _COMMENT]) + packed + b"\0"


def xmp_extension(packet: bytes) -> bytes:
    """Build the extension for XMP: the packet is not divided into blocks, unlike other data.

    Args:
        packet: UTF-8 without zero bytes.

    References:
        XMP specification, part 3, 1.1.2.
    """
    head = bytes([_EXTENSION, _APPLICATION, len(_XMP_NAME)]) + _XMP_NAME
    return head + packet + _XMP_TRAILER


def with_extensions(encoded: bytes, extensions: bytes) -> bytes:
    """Insert extensions before the first frame, behind the number of plays (NETSCAPE2.0).

    Args:
        encoded: a whole GIF that libvips has written.
        extensions: the extensions, one after the other.
    """
    at = 13 + _table_bytes(encoded[10])
    while encoded[at] == _EXTENSION and encoded[at + 1] == _APPLICATION:
        at += 2
        while encoded[at]:
            at += 1 + encoded[at]
        at += 1
    return encoded[:at] + extensions + encoded[at:]
