"""The texts of a PNG, as its chunks hold them."""

import struct
import zlib
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_LATIN, _PACKED, _UNICODE = b"tEXt", b"zTXt", b"iTXt"
_MOST_BYTES = 2**26  # of all texts of a file, packed and unpacked
# Blocks that are read elsewhere, and what ImageMagick says once more of the file and its blocks.
RAW_PROFILE = "Raw profile type"
_NO_TEXTS = (RAW_PROFILE, "XML:com.adobe.xmp", "date:", "tiff:", "icc:", "exif:", "png:")
_OF_ANOTHER = "Thumb::"
"""Says where the picture lies of which a file is the thumbnail, and how large that is."""


@dataclass(frozen=True)
class Text:
    """A text under one of PNG's keywords.

    ``chunk``: the kind and the bytes of the PNG's chunk that held it, or empty. ``comment``: the
    bytes of the JPEG's or GIF's comment that it was, or empty.
    """

    keyword: str
    text: str
    chunk: bytes = b""
    comment: bytes = b""


def png_texts(path: Path) -> tuple[tuple[Text, ...], list[str]]:
    """Read the texts, before and behind the px.

    Args:
        path: a PNG; of another file nothing is read.

    Returns:
        The texts in the file's order, and the keywords of those that are left out: damaged, of
        another file, or more than 64 MiB together.
    """
    found, left_out, room = [], [], _MOST_BYTES
    for kind, data in _text_chunks(path):
        keyword = data.partition(b"\0")[0][:79].decode("latin-1")
        if keyword.startswith(_NO_TEXTS):
            continue
        text = None
        if not keyword.startswith(_OF_ANOTHER) and len(data) <= room:
            text = _text(kind, data, room)
        if text is None:
            left_out.append("".join(each for each in keyword if each.isprintable()) or "?")
            continue
        room -= max(len(text), len(data))
        found.append(Text(keyword, text, kind + data))
    return tuple(found), left_out


def raw_profiles(path: Path, names: tuple[str, ...]) -> Iterator[bytes]:
    """Read blocks that ImageMagick and others write as a text of hexadecimal digits.

    Args:
        path: a PNG; of another file nothing is read.
        names: of the blocks; one whose text is damaged is passed over, ``png_blocks`` names it.
    """
    keywords = [f"{RAW_PROFILE} {name}".encode() for name in names]
    for kind, data in _text_chunks(path):
        if data.partition(b"\0")[0] not in keywords:
            continue
        text = _text(kind, data, _MOST_BYTES)
        with suppress(ValueError):
            # A newline, the name, the length, then lines of digits.
            yield bytes.fromhex("".join((text or "").split()[2:]))


def raw_profile_chunk(name: str, block: bytes) -> tuple[bytes, bytes]:
    """Give kind and bytes of the chunk that ``raw_profiles`` reads.

    Args:
        name: of the block.
        block: any bytes.
    """
    text = f"\n{name}\n{len(block):8}\n{block.hex()}\n".encode()
    return _PACKED, f"{RAW_PROFILE} {name}".encode() + b"\0\0" + zlib.compress(text)


def _text_chunks(path: Path) -> Iterator[tuple[bytes, bytes]]:
    """Give kind and bytes; of a damaged or too long one the keyword alone."""
    with path.open("rb") as file:
        if file.read(8) != _SIGNATURE:
            return
        while len(head := file.read(8)) == 8 and (kind := head[4:]) != b"IEND":
            length = int.from_bytes(head[:4], "big")
            if kind not in (_LATIN, _PACKED, _UNICODE):
                file.seek(length + 4, 1)
                continue
            data = file.read(min(length, _MOST_BYTES))
            file.seek(length - len(data), 1)
            whole = len(data) == length and file.read(4) == zlib.crc32(kind + data).to_bytes(4)
            yield kind, data if whole else data.partition(b"\0")[0]


def _text(kind: bytes, data: bytes, most: int) -> str | None:
    """Decode a chunk, or give None where it is damaged or has more bytes than ``most``."""
    _, ends, rest = data.partition(b"\0")
    if not ends:
        return None
    try:
        if kind == _LATIN:
            return rest.decode("latin-1")
        if kind == _PACKED:
            return None if rest[:1] != b"\0" else _unpacked(rest[1:], most).decode("latin-1")
        packed, method = rest[:2]
        _, _, said = rest[2:].split(b"\0", 2)
        if packed:
            return None if method else _unpacked(said, most).decode()
        return said.decode()
    except (ValueError, zlib.error):
        return None


def _unpacked(data: bytes, most: int) -> bytes:
    unpacking = zlib.decompressobj()
    text = unpacking.decompress(data, most)
    if not unpacking.eof:
        raise ValueError("longer than allowed, or cut")
    return text


def text_chunk(text: Text) -> tuple[bytes, bytes]:
    """Give kind and bytes of the chunk that holds a text; one that came from a PNG stays as it was.

    Args:
        text: with a keyword of Latin-1.
    """
    if text.chunk:
        return text.chunk[:4], text.chunk[4:]
    keyword, said = text.keyword.encode("latin-1"), text.text.replace("\0", "")
    try:
        return _LATIN, keyword + b"\0" + said.encode("latin-1")
    except UnicodeEncodeError:
        return _UNICODE, keyword + struct.pack("5x") + said.encode()
