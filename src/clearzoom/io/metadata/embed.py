"""Insert EXIF, XMP, IPTC and texts into files that libvips has just written, byte for byte.

libvips passes EXIF through libexif, which empties maker notes, and it writes no IPTC into JPEG and
PNG and no EXIF into TIFF. Only files that this program has written are changed here.
"""

import io
import shutil
import struct
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import BinaryIO

from clearzoom.io.atomic import file_beside
from clearzoom.io.avif import replace_exif
from clearzoom.io.metadata.blocks import Metadata, as_resource
from clearzoom.io.metadata.exif_directories import DIRECTORIES, Packing, packed_directories
from clearzoom.io.metadata.extended_xmp import split_xmp
from clearzoom.io.metadata.gif_texts import comment_extension, with_extensions, xmp_extension
from clearzoom.io.metadata.imagej import CALIBRATION_TAGS
from clearzoom.io.metadata.jpeg_segments import APP13, COMMENT
from clearzoom.io.metadata.photoshop import in_segments
from clearzoom.io.metadata.photoshop_files import PNG_NAME
from clearzoom.io.metadata.photoshop_files import TAG as PHOTOSHOP_TAG
from clearzoom.io.metadata.png_chunks import png_chunk
from clearzoom.io.metadata.png_texts import raw_profile_chunk, text_chunk
from clearzoom.io.metadata.texts import comment_bytes
from clearzoom.io.metadata.tiff_tags import describes, read_tags

_LONGEST_SEGMENT = 65_533  # The 16-bit length counts its own two bytes (ITU-T T.81, B.1.1.4).
_MOST_DPI = 65_535
_XMP_HEAD = b"http://ns.adobe.com/xap/1.0/\0"
_IPTC = 33723
_BYTE, _LONG, _UNDEFINED = 1, 4, 7


def insert_metadata(
    path: Path, metadata: Metadata, dpi: tuple[float, float] | None = None
) -> list[str]:
    """Insert metadata into a JPEG, PNG, WebP, TIFF, GIF or AVIF in place.

    Args:
        path: a file that libvips has written: a JPEG, PNG or GIF without metadata, a WebP with
            some, or an AVIF with the EXIF of ``avif.STAND_IN``.
        metadata: the blocks. libvips itself writes the XMP of TIFF and AVIF. A PNG gets all texts,
            a JPEG or GIF gets comments.
        dpi: the resolution for the header of a JPEG, which libvips omits together with metadata.

    Returns:
        A line for each block that does not fit.
    """
    suffix = path.suffix.lower()
    if suffix in (".jpg", ".jpeg"):
        return _jpeg(path, metadata, dpi)
    if suffix == ".png":
        _rewrite(path, lambda source, target: _png(source, target, metadata))
    elif suffix == ".webp":
        _rewrite(path, lambda source, target: _webp(source, target, metadata))
    elif suffix == ".gif" and (metadata.xmp or metadata.texts):
        _rewrite(path, lambda source, target: _gif(source, target, metadata))
    elif suffix == ".avif" and metadata.exif:
        try:
            replace_exif(path, metadata.exif)
        except ValueError as error:
            return [f"{error}: it was left out"]
    elif suffix in (".tif", ".tiff") and metadata != Metadata(xmp=metadata.xmp):
        return _tiff(path, metadata)
    return []


def _rewrite(path: Path, change: Callable[[BinaryIO, BinaryIO], None]) -> None:
    with file_beside(path, path.suffix) as beside:
        with path.open("rb") as source, beside.open("wb") as target:
            change(source, target)
        beside.replace(path)


def _jpeg(path: Path, metadata: Metadata, dpi: tuple[float, float] | None) -> list[str]:
    segments, problems = b"", list[str]()
    if dpi:
        # JFIF must be the first segment: unit 1 is px per inch, unit 0 an aspect ratio (JFIF 1.02).
        unit, density = 1, [round(value) for value in dpi]
        if max(density) > _MOST_DPI:
            unit, density = 0, [1, 1]
            problems.append(f"a JPEG states at most 65,535 dpi: {max(dpi):,.0f} are not kept")
        head = b"\xff\xe0\0\x10", b"JFIF\0", 0x0102
        segments = struct.pack(">4s5sHBHHH", *head, unit, *density, 0)
    xmp, pieces = metadata.xmp, []
    with suppress(ValueError):  # The packet cannot be split: the check of lengths reports it.
        xmp, pieces = split_xmp(xmp) if xmp else (None, [])
    blocks = [
        ("EXIF", 0xE1, metadata.exif and b"Exif\0\0" + metadata.exif),
        ("XMP", 0xE1, xmp and _XMP_HEAD + xmp),
        *(("XMP", 0xE1, piece) for piece in pieces),
        ("IPTC", APP13, metadata.iptc and as_resource(metadata.iptc)),
        *(
            ("a part of Photoshop's", APP13, piece)
            for piece in in_segments(metadata.photoshop or b"", _LONGEST_SEGMENT)
        ),
        *(("a comment", COMMENT, comment_bytes(each)) for each in metadata.texts),
    ]
    for name, marker, block in blocks:
        if block and len(block) > _LONGEST_SEGMENT:
            problems.append(f"{name} of {len(block):,} bytes does not fit a JPEG (at most 65,533)")
        elif block:
            segments += struct.pack(">BBH", 0xFF, marker, len(block) + 2) + block

    def change(source: BinaryIO, target: BinaryIO) -> None:
        target.write(source.read(2) + segments)
        shutil.copyfileobj(source, target)

    _rewrite(path, change)
    return problems


def _png(source: BinaryIO, target: BinaryIO, metadata: Metadata) -> None:
    # IHDR must be the first chunk; eXIf and texts may be anywhere behind it (PNG, third edition,
    # 5.6). Before the px every reader finds them.
    target.write(source.read(8 + 25))
    if metadata.exif:
        target.write(png_chunk(b"eXIf", metadata.exif))
    if metadata.xmp:
        # The five zeros: the keyword's end, not compressed, method 0, no language, no translation.
        target.write(png_chunk(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + metadata.xmp))
    if metadata.iptc:
        target.write(png_chunk(*raw_profile_chunk("iptc", metadata.iptc)))
    if metadata.photoshop:
        target.write(png_chunk(*raw_profile_chunk(PNG_NAME, metadata.photoshop)))
    for each in metadata.texts:
        target.write(png_chunk(*text_chunk(each)))
    shutil.copyfileobj(source, target)


def _gif(source: BinaryIO, target: BinaryIO, metadata: Metadata) -> None:
    added = xmp_extension(metadata.xmp) if metadata.xmp else b""
    for each in metadata.texts:
        added += comment_extension(comment_bytes(each))
    target.write(with_extensions(source.read(), added))


def _riff_chunks(source: BinaryIO) -> Iterator[tuple[bytes, bytes]]:
    while len(head := source.read(8)) == 8:
        size = int.from_bytes(head[4:], "little")
        yield head[:4], source.read(size + size % 2)[:size]  # Chunks are padded to an even size.


def _webp(source: BinaryIO, target: BinaryIO, metadata: Metadata) -> None:
    source.seek(12)
    chunks = [(kind, data) for kind, data in _riff_chunks(source) if kind not in (b"EXIF", b"XMP ")]
    (kind, head), *others = chunks
    assert kind == b"VP8X"
    # Bits 3 and 2 announce EXIF and XMP, which must follow the px (RFC 9649, 2.7).
    flags = (head[0] & ~0x0C) | (0x08 if metadata.exif else 0) | (0x04 if metadata.xmp else 0)
    body = [(kind, bytes([flags]) + head[1:]), *others]
    body += [(b"EXIF", metadata.exif)] if metadata.exif else []
    body += [(b"XMP ", metadata.xmp)] if metadata.xmp else []
    packed = [
        kind + len(data).to_bytes(4, "little") + data + b"\0" * (len(data) % 2)
        for kind, data in body
    ]
    size = 4 + sum(map(len, packed))
    target.write(b"RIFF" + size.to_bytes(4, "little") + b"WEBP")
    for chunk in packed:
        target.write(chunk)


def _tiff(path: Path, metadata: Metadata) -> list[str]:
    """Append the blocks and a new first directory, and let the header point to it.

    libvips' own directory stays in the file without a reference. Its strips keep their places,
    because the offsets in a TIFF are absolute (TIFF 6.0, section 2).
    """
    with path.open("r+b") as file:
        big = file.read(4) == b"II+\0"
        pointer, count, head, size = ("<Q", "<Q", "<HHQ", 20) if big else ("<I", "<H", "<HHI", 12)
        room = struct.calcsize(pointer)
        file.seek(8 if big else 4)
        (first,) = struct.unpack(pointer, file.read(room))
        file.seek(first)
        (entries,) = struct.unpack(count, file.read(struct.calcsize(count)))
        directory = [file.read(size) for _ in range(entries)]
        following = file.read(room)
        at = file.seek(0, 2)
        if metadata.calibration:  # It replaces the resolution that libvips always states.
            directory = [each for each in directory if _number(each) not in CALIBRATION_TAGS]
        there = {_number(entry) for entry in directory}
        directories, problems = packed_directories(metadata.exif, big=big)
        for tag, kind, values, block in _tiff_blocks(metadata, directories):
            if tag in there:
                continue
            there.add(tag)
            at += file.write(b"\0" * (-at % 8))  # TIFF asks for even offsets, BigTIFF for 8.
            packed = block(at)
            where = struct.pack(pointer, at)
            # Values that fit into the field of the offset are stored there; directories are not.
            if tag not in DIRECTORIES and len(packed) <= room:
                where = packed.ljust(room, b"\0")
            else:
                at += file.write(packed)
            directory.append(struct.pack(head, tag, kind, values) + where)
        at += file.write(b"\0" * (-at % 8))
        directory.sort(key=_number)  # Entries must be in ascending order (TIFF 6.0, section 2).
        file.write(struct.pack(count, len(directory)) + b"".join(directory) + following)
        file.seek(8 if big else 4)
        file.write(struct.pack(pointer, at))
    return problems


def _tiff_blocks(
    metadata: Metadata, directories: list[tuple[int, Packing]]
) -> Iterator[tuple[int, int, int, Packing]]:
    """List the number, type and count of each tag, with a function from its offset to its bytes."""
    if metadata.exif:
        for each in read_tags(io.BytesIO(metadata.exif), describes):
            yield each.number, each.kind, each.count, partial(_same, each.data)
        for tag, directory in directories:
            yield tag, _LONG, 1, directory
    if metadata.iptc:
        yield _IPTC, _UNDEFINED, len(metadata.iptc), partial(_same, metadata.iptc)
    if metadata.calibration:
        for each in metadata.calibration.tags():
            yield each.number, each.kind, each.count, partial(_same, each.data)
    if metadata.photoshop:
        block = metadata.photoshop
        yield PHOTOSHOP_TAG, _BYTE, len(block), partial(_same, block)


def _number(entry: bytes) -> int:
    return int.from_bytes(entry[:2], "little")


def _same(block: bytes, at: int) -> bytes:
    return block
