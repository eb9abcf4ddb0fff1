"""The texts in the chunks of a PNG.

References:
    PNG, third edition, 11.3.3 (tEXt, zTXt and iTXt).
"""

import struct
import zlib
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass

from clearzoom.io.metadata.png_chunks import PngChunks, text_bytes

_LATIN, _COMPRESSED, _UNICODE = b"tEXt", b"zTXt", b"iTXt"
_MOST_BYTES = 2**26  # of all texts of a file, compressed and decompressed
# ``png_blocks`` reads the first two; ImageMagick repeats facts about the file in the others.
RAW_PROFILE = "Raw profile type"
_NO_TEXTS = (RAW_PROFILE, "XML:com.adobe.xmp", "date:", "tiff:", "icc:", "exif:", "png:")
_OF_THUMBNAIL = "Thumb::"
"""Texts with this start describe the file of which a PNG is the thumbnail (freedesktop.org)."""


@dataclass(frozen=True)
class Text:
    """A text under one of PNG's keywords.

    ``chunk`` holds the kind and the data of the PNG chunk that the text was read from, and
    ``comment`` the bytes of the JPEG or GIF comment; otherwise they are empty.
    """

    keyword: str
    text: str
    chunk: bytes = b""
    comment: bytes = b""


def png_texts(chunks: PngChunks) -> tuple[tuple[Text, ...], list[str]]:
    """Read the texts before and behind the px.

    Args:
        chunks: the chunks of the PNG.

    Returns:
        The texts in the file's order, and the keywords of the texts that are left out: they are
        damaged, describe another file, or exceed 64 MiB together.
    """
    texts, left_out, room = [], [], _MOST_BYTES
    for kind, data in _text_chunks(chunks):
        keyword = data.partition(b"\0")[0][:79].decode("latin-1")
        if keyword.startswith(_NO_TEXTS):
            continue
        text = None
        if not keyword.startswith(_OF_THUMBNAIL) and len(data) <= room:
            text = _text(kind, data, room)
        if text is None:
            left_out.append("".join(each for each in keyword if each.isprintable()) or "?")
            continue
        room -= max(len(text), len(data))
        texts.append(Text(keyword, text, kind + data))
    return tuple(texts), left_out


def raw_profiles(chunks: PngChunks, names: tuple[str, ...]) -> Iterator[bytes]:
    """Read blocks that ImageMagick and others store as a text of hexadecimal digits.

    Args:
        chunks: the chunks of the PNG.
        names: the names of the blocks. A damaged block is skipped; ``png_blocks`` reports it.
    """
    keywords = [f"{RAW_PROFILE} {name}".encode() for name in names]
    for kind, data in _text_chunks(chunks):
        if data.partition(b"\0")[0] not in keywords:
            continue
        text = _text(kind, data, _MOST_BYTES)
        with suppress(ValueError):
            # A newline, the name, the length, then lines of hexadecimal digits.
            yield bytes.fromhex("".join((text or "").split()[2:]))


def raw_profile_chunk(name: str, block: bytes) -> tuple[bytes, bytes]:
    """Return kind and data of the chunk that ``raw_profiles`` reads.

    Args:
        name: the name of the block.
        block: any bytes.
    """
    text = f"\n{name}\n{len(block):8}\n{block.hex()}\n".encode()
    return _COMPRESSED, f"{RAW_PROFILE} {name}".encode() + b"\0\0" + zlib.compress(text)


def _text_chunks(chunks: PngChunks) -> Iterator[tuple[bytes, bytes]]:
    """Read kind and data of each text; of a damaged or overlong one only the keyword."""
    for kind, data, intact in chunks.contents((_LATIN, _COMPRESSED, _UNICODE), _MOST_BYTES):
        yield kind, data if intact else data.partition(b"\0")[0]


def _text(kind: bytes, data: bytes, most: int) -> str | None:
    """Decode a text; return None if it is damaged or decompresses to more than ``most`` bytes."""
    try:
        return text_bytes(kind, data, most).decode("utf-8" if kind == _UNICODE else "latin-1")
    except (ValueError, zlib.error):
        return None


def text_chunk(text: Text) -> tuple[bytes, bytes]:
    """Return kind and data of the chunk for a text; a text from a PNG keeps its chunk.

    Args:
        text: a text whose keyword is Latin-1.
    """
    if text.chunk:
        return text.chunk[:4], text.chunk[4:]
    keyword, plain = text.keyword.encode("latin-1"), text.text.replace("\0", "")
    try:
        return _LATIN, keyword + b"\0" + plain.encode("latin-1")
    except UnicodeEncodeError:
        # The five zeros: the keyword's end, not compressed, method 0, no language, no translation.
        return _UNICODE, keyword + struct.pack("5x") + plain.encode()
