"""The chunks of a PNG: listed in one pass over the file, their contents read when needed.

References:
    PNG, third edition, 5.3 (chunk layout), 5.6 (chunk ordering) and 11.3.3 (texts).
"""

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

SIGNATURE = b"\x89PNG\r\n\x1a\n"
# Chunks of fixed length that must precede the px (5.6); one byte more shows a wrong length.
_SHORT = {b"pHYs": 9, b"sRGB": 1, b"gAMA": 4, b"cHRM": 32, b"cICP": 4}


def png_chunk(kind: bytes, data: bytes) -> bytes:
    """Build a chunk from its kind and data: length, kind, data, and the CRC of kind and data."""
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def text_bytes(kind: bytes, data: bytes, most: int) -> bytes:
    """Return the text of a tEXt, zTXt or iTXt chunk, in Latin-1 or (iTXt) UTF-8.

    Args:
        kind: the kind of the chunk.
        data: the data of the chunk.
        most: the most bytes that a compressed text may have.

    Raises:
        ValueError: the chunk is cut, of an unknown compression, or its text too long.
        zlib.error: the compressed text is damaged.
    """
    _, ends, rest = data.partition(b"\0")
    if not ends:
        raise ValueError("its keyword has no end")
    if kind == b"tEXt":
        return rest
    if kind == b"zTXt":  # A byte for the compression method, then the text.
        compressed, method, text = 1, rest[:1], rest[1:]
    else:
        # Compression flag and method, then language tag and translated keyword, each up to a zero,
        # then the text (11.3.3.4).
        compressed, method = rest[0] if rest else 0, rest[1:2]
        _, _, text = rest[2:].split(b"\0", 2)
    if not compressed:
        return text
    if method != b"\0":
        raise ValueError("its compression is unknown")
    decompressor = zlib.decompressobj()
    plain = decompressor.decompress(text, most)
    if not decompressor.eof:
        raise ValueError(f"it is cut, or longer than {most >> 20} MiB")
    return plain


@dataclass(frozen=True)
class _Chunk:
    """One chunk; its data are the ``length`` bytes from ``at``, followed by 4 bytes of CRC."""

    kind: bytes
    at: int
    length: int


class PngChunks:
    """The chunks of a PNG in file order; of any other file there are none.

    ``before_px`` maps the kinds of the chunks before the first IDAT to their data. Only short
    chunks (pHYs, sRGB, gAMA, cHRM, cICP) have their data there; the others have b"".

    Args:
        file: is open for reading.
    """

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._chunks: list[_Chunk] = []
        self.before_px: dict[bytes, bytes] = {}
        file.seek(0)
        if file.read(8) != SIGNATURE:
            return
        before = True
        while len(head := file.read(8)) == 8:
            length, kind, at = int.from_bytes(head[:4]), head[4:], file.tell()
            self._chunks.append(_Chunk(kind, at, length))
            before = before and kind != b"IDAT"
            if before and kind not in self.before_px:
                self.before_px[kind] = file.read(min(length, _SHORT.get(kind, -1) + 1))
            if kind == b"IEND":
                return
            file.seek(at + length + 4)

    @property
    def kinds(self) -> list[bytes]:
        """Return the four-letter kinds of all chunks up to IEND."""
        return [chunk.kind for chunk in self._chunks]

    def contents(
        self, kinds: tuple[bytes, ...], most_bytes: int
    ) -> Iterator[tuple[bytes, bytes, bool]]:
        """Read the data of chunks, one after the other.

        Args:
            kinds: the kinds to read.
            most_bytes: longer data are cut off here, and count as damaged.

        Yields:
            The kind, the data, and whether the data are complete and match their CRC.
        """
        for chunk in self._chunks:
            if chunk.kind in kinds:
                self._file.seek(chunk.at)
                data = self._file.read(min(chunk.length, most_bytes))
                crc = self._file.read(4) if len(data) == chunk.length else b""
                yield chunk.kind, data, crc == zlib.crc32(chunk.kind + data).to_bytes(4)
