"""Write APNG: libvips encodes each frame as a PNG, whose compressed px become the frame's."""

import struct
import zlib
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import pyvips

from clearzoom.core.arrays import Levels
from clearzoom.io.animation.apng import SIGNATURE, fraction_of
from clearzoom.io.metadata.png_chunks import png_chunk

_LEVEL = 6
_RGB, _RGBA = 2, 6
_METRE_IN = 0.0254


def write_apng(
    path: Path,
    frames: Iterable[Levels],
    durations_ms: Sequence[float],
    plays: int,
    icc_profile: bytes | None,
    dpi: tuple[float, float] | None,
) -> None:
    """Write an animation with two frames in memory at a time.

    Args:
        path: the file to be written.
        frames: at least one frame, each (H, W, 3) or (H, W, 4) uint8 of the same shape.
        durations_ms: the duration of each frame.
        plays: the number of plays; 0 is endless.
        icc_profile: the ICC profile, or None.
        dpi: the resolution, or None.

    Raises:
        OSError: the file cannot be written.
        pyvips.Error: a frame cannot be encoded.

    References:
        PNG, third edition, 11.3.6: fcTL and fdAT share one sequence of numbers.
    """
    with path.open("wb") as file:
        number, before = 0, None
        for pixels, duration_ms in zip(frames, durations_ms, strict=True):
            if before is None:
                file.write(_head(pixels, len(durations_ms), plays, icc_profile, dpi))
            top, left, part = _changed(before, pixels)
            size = (part.shape[1], part.shape[0], left, top)
            control = struct.pack(">5I2H2B", number, *size, *fraction_of(duration_ms), 0, 0)
            file.write(png_chunk(b"fcTL", control))
            number += 1
            for data in _encoded(part):
                if before is None:
                    file.write(png_chunk(b"IDAT", data))
                else:
                    file.write(png_chunk(b"fdAT", struct.pack(">I", number) + data))
                    number += 1
            before = pixels
        file.write(png_chunk(b"IEND", b""))


def _head(
    first: Levels,
    frames: int,
    plays: int,
    icc_profile: bytes | None,
    dpi: tuple[float, float] | None,
) -> bytes:
    height, width, channels = first.shape
    colour = _RGB if channels == 3 else _RGBA
    head = SIGNATURE + png_chunk(b"IHDR", struct.pack(">2I5B", width, height, 8, colour, 0, 0, 0))
    if icc_profile:
        head += png_chunk(b"iCCP", b"icc\0\0" + zlib.compress(icc_profile))
    if dpi:
        head += png_chunk(
            b"pHYs", struct.pack(">2IB", *(round(each / _METRE_IN) for each in dpi), 1)
        )
    return head + png_chunk(b"acTL", struct.pack(">2I", frames, plays))


def _changed(before: Levels | None, now: Levels) -> tuple[int, int, Levels]:
    """Return top, left and px of the smallest rectangle with all changes; at least one px."""
    if before is None:
        return 0, 0, now
    differs = (before != now).any(axis=2)
    rows, columns = np.flatnonzero(differs.any(axis=1)), np.flatnonzero(differs.any(axis=0))
    if not len(rows):
        return 0, 0, now[:1, :1]
    top, left = int(rows[0]), int(columns[0])
    return top, left, now[top : rows[-1] + 1, left : columns[-1] + 1]


def _encoded(part: Levels) -> list[bytes]:
    """Compress px as libvips does in still pictures, and return the data of the IDAT chunks."""
    image = pyvips.Image.new_from_array(np.ascontiguousarray(part), interpretation="srgb")
    encoded = image.pngsave_buffer(compression=_LEVEL, keep="none")
    contents, at = [], len(SIGNATURE)
    while at < len(encoded):
        length, kind = struct.unpack_from(">I4s", encoded, at)
        if kind == b"IDAT":
            contents.append(encoded[at + 8 : at + 8 + length])
        at += 12 + length
    return contents
