"""APNG: the layout that the file states, and the px of each frame.

libvips decodes each frame as a PNG of its own. Pillow reads APNG too, but composites
semi-transparent frames incorrectly.

References:
    PNG, third edition, 11.3.6 (animation) and 13.5.4 (errors).
"""

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import BinaryIO

import numpy as np
import pyvips

from clearzoom.core.arrays import Levels
from clearzoom.io.animation.canvas import Disposal, Patch
from clearzoom.io.animation.layout import DamagedError, Layout, check_count
from clearzoom.io.libvips_errors import VIPS_ERRORS, reason_of
from clearzoom.io.metadata.png_chunks import png_chunk

SIGNATURE = b"\x89PNG\r\n\x1a\n"
_DISPOSALS = {0: Disposal.KEEP, 1: Disposal.CLEAR, 2: Disposal.RESTORE}
_SHARED_CHUNKS = (b"PLTE", b"tRNS")
_ALPHA = (4, 6)
_PALETTE = 3
_MOST_16 = 65_535


@dataclass
class _Frame:
    """The fields of fcTL; ``parts`` has kind, offset and length of the chunks with its px."""

    width: int
    height: int
    left: int
    top: int
    duration_ms: float
    disposal: Disposal
    over: bool
    parts: list[tuple[bytes, int, int]] = field(default_factory=list)


@dataclass
class _File:
    """The chunks of an APNG: ``header`` is IHDR's data, ``shared`` the chunks for all frames.

    ``hidden`` means that the default image is not a frame.
    """

    header: bytes
    shared: bytes = b""
    stated: tuple[int, int] | None = None
    frames: list[_Frame] = field(default_factory=list)
    whole: bool = False
    hidden: bool = False


def apng_layout(file: BinaryIO) -> Layout | None:
    """Read the size and the frames; no px are decoded.

    Args:
        file: a PNG.

    Returns:
        The layout, or None for a PNG without an animation, or whose only frame is its picture.

    Raises:
        DamagedError: the number of frames is not the stated one, or a frame is invalid.
        SizeError: there are too many frames.
    """
    apng = _read_file(file)
    if apng is None or apng.stated is None:
        return None
    stated, plays = apng.stated
    if not stated and not apng.frames:  # Browsers then display the default image.
        return None
    width, height = struct.unpack(">II", apng.header[:8])
    if len(apng.frames) != stated or not all(each.parts for each in apng.frames):
        raise DamagedError(f"it states {stated} frames but has {len(apng.frames)}")
    if stated == 1 and apng.frames[0].parts[0][0] == b"IDAT":
        return None
    for frame in apng.frames:
        outside = frame.left + frame.width > width or frame.top + frame.height > height
        if outside or not frame.width or not frame.height:
            raise DamagedError("a frame lies outside the picture")
    depth, colour = apng.header[8:10]
    notes = []
    if colour not in (_PALETTE, 2, 6):
        notes.append("a grey animation becomes RGB with equal channels")
    if apng.hidden:
        notes.append("the still for programs without animation is not kept")
    if depth == 16:
        notes.append("an animation has 8 bit: 16 are rounded")
    transparent = colour in _ALPHA or b"tRNS" in apng.shared
    first = apng.frames[0]
    transparent |= (first.width, first.height) != (width, height)
    transparent |= any(frame.disposal is not Disposal.KEEP for frame in apng.frames)
    area = width * height
    return Layout(
        "PNG",
        width,
        height,
        3 + transparent,
        stated,
        plays,
        area * stated,
        area,
        notes=tuple(notes),
    )


def apng_patches(path: Path) -> Iterator[Patch]:
    """Decode frame by frame.

    Args:
        path: an APNG.

    Yields:
        The patch of each frame.

    Raises:
        DamagedError: a frame is damaged.
    """
    with path.open("rb") as file:
        apng = _read_file(file)
        assert apng is not None
        for frame in apng.frames:
            pixels = _decoded(file, apng, frame)
            yield Patch(
                pixels, frame.left, frame.top, frame.disposal, frame.over, frame.duration_ms
            )


def _read_file(file: BinaryIO) -> _File | None:
    file.seek(8)
    apng, last = None, -1
    while len(head := file.read(8)) == 8:
        length, kind, at = int.from_bytes(head[:4], "big"), head[4:], file.tell()
        if kind == b"IHDR":
            apng = _File(_checked(file, kind, length))
        if apng is None or len(apng.header) != 13:
            return None  # libvips reports what is wrong.
        frames = apng.frames
        if kind in _SHARED_CHUNKS and not frames:
            apng.shared += png_chunk(kind, _checked(file, kind, length))
        elif kind == b"acTL" and apng.stated is not None:
            raise DamagedError("it states its number of frames twice")
        elif kind == b"acTL":
            data = _checked(file, kind, length)
            apng.stated = struct.unpack(">II", data) if length == 8 else None
            check_count(apng.stated[0] if apng.stated else 0)
        elif kind in (b"IDAT", b"IEND") and apng.stated is None:
            return None  # acTL must precede the px (11.3.6.2), so this is a still picture.
        elif kind == b"fcTL":
            last = _after(file.read(4), last)
            file.seek(at)
            frames.append(_frame(_checked(file, kind, length)))
            check_count(len(frames))
        elif kind == b"IDAT" and not frames:
            apng.hidden = True
        elif kind == b"IDAT":
            frames[-1].parts.append((kind, at, length))
        elif kind == b"fdAT" and frames:
            last = _after(file.read(4), last)
            frames[-1].parts.append((kind, at, length))
        elif kind == b"IEND":
            apng.whole = True
            break
        file.seek(at + length + 4)
    if apng is not None and apng.stated is not None and not apng.whole:
        raise DamagedError("the file ends in the middle")
    return apng


def _after(number: bytes, last: int) -> int:
    if int.from_bytes(number, "big") != last + 1:
        raise DamagedError("frames are missing or not in their order")
    return last + 1


def _frame(data: bytes) -> _Frame:
    if len(data) != 26:
        raise DamagedError("a frame's header has a wrong length")
    width, height, left, top, num, den, disposal, blend = struct.unpack(">4x4I2H2B", data)
    if disposal not in _DISPOSALS or blend > 1:
        raise DamagedError("a frame's header has impossible values")
    # A denominator of 0 counts as 100 (11.3.6.3).
    duration_ms = 1000 * num / (den or 100)
    return _Frame(width, height, left, top, duration_ms, _DISPOSALS[disposal], blend == 1)


def _decoded(file: BinaryIO, apng: _File, frame: _Frame) -> Levels:
    parts = [SIGNATURE]
    header = struct.pack(">II", frame.width, frame.height) + apng.header[8:]
    parts += [png_chunk(b"IHDR", header), apng.shared]
    for kind, at, length in frame.parts:
        file.seek(at)
        data = _checked(file, kind, length)
        # fdAT is IDAT with a sequence number of 4 bytes before the data (11.3.6.4).
        parts.append(png_chunk(b"IDAT", data if kind == b"IDAT" else data[4:]))
    parts.append(png_chunk(b"IEND", b""))
    try:
        image = pyvips.Image.new_from_buffer(b"".join(parts), "", fail_on="error")
        if image.format == "ushort":
            image = ((image + 128) / 257).floor().cast("uchar")
        samples = image.numpy().reshape(frame.height, frame.width, image.bands)
    except VIPS_ERRORS as error:
        raise DamagedError(reason_of(error)) from error
    pixels: Levels = np.full((frame.height, frame.width, 4), 255, np.uint8)
    colours = samples.shape[2] - (1 - samples.shape[2] % 2)
    pixels[..., :3] = samples[..., :colours]
    if colours < samples.shape[2]:
        pixels[..., 3] = samples[..., colours]
    return pixels


def _checked(file: BinaryIO, kind: bytes, length: int) -> bytes:
    data, check = file.read(length), file.read(4)
    if len(data) < length or check != zlib.crc32(kind + data).to_bytes(4, "big"):
        raise DamagedError(f"the file ends in the middle, or {kind.decode('latin-1')} is damaged")
    return data


def fraction_of(duration_ms: float) -> tuple[int, int]:
    """Convert a duration to the closest fraction of a second with two 16-bit numbers, as in fcTL.

    Args:
        duration_ms: at most 65,535 s.

    Example:
        >>> fraction_of(40), fraction_of(1000 / 30), fraction_of(700_010)
        ((1, 25), (1, 30), (65101, 93))
    """
    seconds = duration_ms / 1000
    most = min(_MOST_16, int(_MOST_16 / seconds)) if seconds > 1 else _MOST_16
    return Fraction(seconds).limit_denominator(most).as_integer_ratio()
