"""The description in an EXIF block: read, and replaced without moving any other byte."""

import io
import struct

from clearzoom.io.metadata.tiff_tags import ASCII, read_tags

_DESCRIPTION = 270


def description_of(exif: bytes) -> str | None:
    """Read the description of the picture.

    Args:
        exif: a TIFF structure.

    Returns:
        The text without its final zero, or None if there is none or the block is damaged.
    """
    try:
        tags = read_tags(
            io.BytesIO(exif), lambda number, kind: (number, kind) == (_DESCRIPTION, ASCII)
        )
        tag = next(tags, None)
    except ValueError:
        return None
    return tag.data.rstrip(b"\0").decode(errors="surrogateescape") if tag is not None else None


def with_description(exif: bytes, text: str) -> bytes:
    """Replace a description; the new text is appended to the block.

    Args:
        exif: a TIFF structure with a description.
        text: the new description, or no text to clear it.

    Raises:
        ValueError: the block has no description, or is damaged.
    """
    data = text.encode(errors="surrogateescape") + b"\0"
    order = "<" if exif.startswith(b"II") else ">"
    block = bytearray(exif + b"\0" * (len(exif) % 2))
    try:
        (first,) = struct.unpack_from(order + "I", block, 4)
        (count,) = struct.unpack_from(order + "H", block, first)
        for at in range(first + 2, first + 2 + 12 * count, 12):
            if struct.unpack_from(order + "HH", block, at) == (_DESCRIPTION, ASCII):
                struct.pack_into(order + "I", block, at + 4, len(data))
                if len(data) <= 4:
                    block[at + 8 : at + 12] = data.ljust(4, b"\0")
                    return bytes(block)
                struct.pack_into(order + "I", block, at + 8, len(block))
                return bytes(block) + data
    except struct.error as error:
        raise ValueError("the EXIF block is damaged") from error
    raise ValueError("the EXIF block has no description")
