"""APNG: its frames, as the file states them, and the px of each.

Each frame is decoded by libvips as a PNG of its own. Pillow draws frames too, but lays half
transparent ones over others wrongly.

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

from clearzoom.io.animation.canvas import Disposal, Patch, Pixels
from clearzoom.io.animation.layout import DamagedError, Layout, check_count
from clearzoom.io.libvips_errors import VIPS_ERRORS, reason_of

SIGNATURE = b"\x89PNG\r\n\x1a\n"
_DISPOSALS = {0: Disposal.KEEP, 1: Disposal.CLEAR, 2: Disposal.RESTORE}
_ALL_FRAMES = (b"PLTE", b"tRNS")
_ALPHA = (4, 6)
_PALETTE = 3
_MOST_16 = 65_535


@dataclass
class _Frame:
    """What fcTL says; ``parts``: (kind, place, length) of the chunks with its px."""

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
    """``header``: IHDR's data. ``shared``: chunks that hold for all frames.

    ``hidden``: there is a picture that is none of the frames.
    """

    header: bytes
    shared: bytes = b""
    stated: tuple[int, int] | None = None
    frames: list[_Frame] = field(default_factory=list)
    whole: bool = False
    hidden: bool = False


def apng_layout(file: BinaryIO) -> Layout | None:
    """Read size and frames; no px are decoded.

    Args:
        file: a PNG.

    Returns:
        The layout; None for a PNG that has no animation, or one whose only frame is its picture.

    Raises:
        DamagedError: the frames are not those that it says it has.
        SizeError: more frames than can be counted here.
    """
    found = _read_file(file)
    if found is None or found.stated is None:
        return None
    stated, plays = found.stated
    if not stated and not found.frames:  # no frames: what browsers show is the picture
        return None
    width, height = struct.unpack(">II", found.header[:8])
    if len(found.frames) != stated or not all(each.parts for each in found.frames):
        raise DamagedError(f"it says that it has {stated} frames, and has {len(found.frames)}")
    if stated == 1 and found.frames[0].parts[0][0] == b"IDAT":
        return None
    for frame in found.frames:
        outside = frame.left + frame.width > width or frame.top + frame.height > height
        if outside or not frame.width or not frame.height:
            raise DamagedError("a frame lies outside the picture")
    depth, colour = found.header[8:10]
    notes = []
    if colour not in (_PALETTE, 2, 6):
        notes.append("a grey animation becomes RGB with equal channels")
    if found.hidden:
        notes.append("the picture that is shown where the animation is not is not kept")
    if depth == 16:
        notes.append("an animation has 8 bit: 16 are rounded")
    transparent = colour in _ALPHA or b"tRNS" in found.shared
    first = found.frames[0]
    transparent |= (first.width, first.height) != (width, height)
    transparent |= any(frame.disposal is not Disposal.KEEP for frame in found.frames)
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
        path: an APNG of which the layout was read.

    Raises:
        DamagedError: a frame is damaged.
    """
    with path.open("rb") as file:
        found = _read_file(file)
        assert found is not None
        for frame in found.frames:
            pixels = _decoded(file, found, frame)
            yield Patch(
                pixels, frame.left, frame.top, frame.disposal, frame.over, frame.duration_ms
            )


def _read_file(file: BinaryIO) -> _File | None:
    file.seek(8)
    found, last = None, -1
    while len(head := file.read(8)) == 8:
        length, kind, at = int.from_bytes(head[:4], "big"), head[4:], file.tell()
        if kind == b"IHDR":
            found = _File(_checked(file, kind, length))
        if found is None or len(found.header) != 13:
            return None  # libvips says what is wrong
        frames = found.frames
        if kind in _ALL_FRAMES and not frames:
            found.shared += chunk(kind, _checked(file, kind, length))
        elif kind == b"acTL" and found.stated is not None:
            raise DamagedError("it says twice how many frames it has")
        elif kind == b"acTL":
            data = _checked(file, kind, length)
            found.stated = struct.unpack(">II", data) if length == 8 else None
            check_count(found.stated[0] if found.stated else 0)
        elif kind in (b"IDAT", b"IEND") and found.stated is None:
            return None
        elif kind == b"fcTL":
            last = _after(file.read(4), last)
            file.seek(at)
            frames.append(_frame(_checked(file, kind, length)))
            check_count(len(frames))
        elif kind == b"IDAT" and not frames:
            found.hidden = True
        elif kind == b"IDAT":
            frames[-1].parts.append((kind, at, length))
        elif kind == b"fdAT" and frames:
            last = _after(file.read(4), last)
            frames[-1].parts.append((kind, at, length))
        elif kind == b"IEND":
            found.whole = True
            break
        file.seek(at + length + 4)
    if found is not None and found.stated is not None and not found.whole:
        raise DamagedError("the file ends in the middle")
    return found


def _after(number: bytes, last: int) -> int:
    if int.from_bytes(number, "big") != last + 1:
        raise DamagedError("frames are missing or not in their order")
    return last + 1


def _frame(data: bytes) -> _Frame:
    if len(data) != 26:
        raise DamagedError("a frame's head is not as long as it must be")
    width, height, left, top, num, den, disposal, blend = struct.unpack(">4x4I2H2B", data)
    if disposal not in _DISPOSALS or blend > 1:
        raise DamagedError("a frame's head says what has no meaning")
    # A denominator of 0 means 100.
    duration_ms = 1000 * num / (den or 100)
    return _Frame(width, height, left, top, duration_ms, _DISPOSALS[disposal], blend == 1)


def _decoded(file: BinaryIO, found: _File, frame: _Frame) -> Pixels:
    parts = [SIGNATURE]
    header = struct.pack(">II", frame.width, frame.height) + found.header[8:]
    parts += [chunk(b"IHDR", header), found.shared]
    for kind, at, length in frame.parts:
        file.seek(at)
        data = _checked(file, kind, length)
        parts.append(chunk(b"IDAT", data if kind == b"IDAT" else data[4:]))
    parts.append(chunk(b"IEND", b""))
    try:
        image = pyvips.Image.new_from_buffer(b"".join(parts), "", fail_on="error")
        if image.format == "ushort":
            image = ((image + 128) / 257).floor().cast("uchar")
        samples = image.numpy().reshape(frame.height, frame.width, image.bands)
    except VIPS_ERRORS as error:
        raise DamagedError(reason_of(error)) from error
    pixels: Pixels = np.full((frame.height, frame.width, 4), 255, np.uint8)
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


def chunk(kind: bytes, data: bytes) -> bytes:
    """Make a chunk: its length, kind, data and checksum."""
    check = zlib.crc32(kind + data)
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", check)


def fraction_of(duration_ms: float) -> tuple[int, int]:
    """Give a duration as the fraction of a second that fcTL holds, as exactly as it can.

    Args:
        duration_ms: at most 65,535 s.

    Example:
        >>> fraction_of(40), fraction_of(1000 / 30), fraction_of(700_010)
        ((1, 25), (1, 30), (65101, 93))
    """
    seconds = duration_ms / 1000
    most = min(_MOST_16, int(_MOST_16 / seconds)) if seconds > 1 else _MOST_16
    return Fraction(seconds).limit_denominator(most).as_integer_ratio()
