"""Pictures in files that this process maps into memory and libvips reads row by row.

libvips maps a raw file whole, and all of it then counts as memory of this process. It streams an
uncompressed TIFF, so the samples are preceded by the header of one.
"""

import struct
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyvips

from clearzoom.io.libvips_files import source_of
from clearzoom.io.picture import Samples, colours_of

_ROWS_PER_STRIP = 16
_SHORT, _LONG, _LONG8 = 3, 4, 16
_KINDS = {_SHORT: "H", _LONG: "I", _LONG8: "Q"}
_BLACK_IS_ZERO, _RGB, _SEPARATED, _STRAIGHT_ALPHA = 1, 2, 5, 2
_PAGE_BYTES = 4096


def header(shape: tuple[int, int, int], dtype: npt.DTypeLike, *, cmyk: bool) -> bytes:
    """Build the BigTIFF header of an uncompressed picture; its samples follow.

    Args:
        shape: height, width and channels.
        dtype: uint8 or uint16.
        cmyk: whether the first four channels are CMYK.

    References:
        TIFF 6.0, section 8 (baseline fields). BigTIFF (Aware Systems): version 43, 64-bit offsets.
    """
    height, width, channels = shape
    bits = 8 * np.dtype(dtype).itemsize
    row_bytes = width * channels * bits // 8
    strips = -(-height // _ROWS_PER_STRIP)
    colours = colours_of(channels, cmyk=cmyk)
    photometric = {1: _BLACK_IS_ZERO, 3: _RGB, 4: _SEPARATED}[colours]
    rows = [min(_ROWS_PER_STRIP, height - strip * _ROWS_PER_STRIP) for strip in range(strips)]
    entries: list[tuple[int, int, list[int]]] = [
        (256, _LONG, [width]),
        (257, _LONG, [height]),
        (258, _SHORT, [bits] * channels),
        (259, _SHORT, [1]),
        (262, _SHORT, [photometric]),
        (273, _LONG8, [0] * strips),
        (277, _SHORT, [channels]),
        (278, _LONG, [_ROWS_PER_STRIP]),
        (279, _LONG8, [count * row_bytes for count in rows]),
        (284, _SHORT, [1]),
    ]
    if channels > colours:
        entries.append((338, _SHORT, [_STRAIGHT_ALPHA]))
    directory_bytes = 16 + 8 + 20 * len(entries) + 8
    values_bytes = sum(len(values) * 8 for _, _, values in entries)
    start = -(-(directory_bytes + values_bytes) // _PAGE_BYTES) * _PAGE_BYTES
    places = {273: [start + strip * _ROWS_PER_STRIP * row_bytes for strip in range(strips)]}
    directory, data = b"", b""
    for tag, kind, values in entries:
        packed = struct.pack(f"<{len(values)}{_KINDS[kind]}", *places.get(tag, values))
        where = struct.pack("<Q", directory_bytes + len(data))
        if len(packed) <= 8:
            where = packed.ljust(8, b"\0")
        else:
            data += packed.ljust(-(-len(packed) // 8) * 8, b"\0")
        directory += struct.pack("<HHQ", tag, kind, len(values)) + where
    head = struct.pack("<2sHHHQQ", b"II", 43, 8, 0, 16, len(entries))
    return (head + directory + struct.pack("<Q", 0) + data).ljust(start, b"\0")


def picture_bytes(shape: tuple[int, int, int], dtype: npt.DTypeLike) -> int:
    """Return the size of the samples in bytes."""
    return prod(shape) * np.dtype(dtype).itemsize


def map_picture(path: Path, shape: tuple[int, int, int], dtype: Any, *, cmyk: bool) -> Samples:
    """Map the samples of a file that has room for them, and write its header.

    Args:
        path: a file of the size of header and samples.
        shape: height, width and channels.
        dtype: uint8 or uint16.
        cmyk: whether the first four channels are CMYK.
    """
    head = header(shape, dtype, cmyk=cmyk)
    with path.open("r+b") as file:
        file.write(head)
    mapped: Samples = np.memmap(path, dtype, "r+", len(head), shape)
    return mapped


def stream_picture(path: Path) -> pyvips.Image:
    """Open such a file to read it once, from top to bottom."""
    with path.open("rb") as file:
        source = source_of(file)
    return pyvips.Image.new_from_source(source, "", access="sequential")
