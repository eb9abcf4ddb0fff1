"""AVIF image sequences: libavif reads size and frames, the number of plays is read here.

libvips does not read sequences. A file whose major brand is ``avif`` is a still picture.

References:
    ISO/IEC 14496-12 (boxes, edit lists); AV1 Image File Format 1.1, 6.
"""

import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from PIL import Image, features

from clearzoom.core.arrays import Levels
from clearzoom.io.animation.layout import DamagedError, Layout, check_count
from clearzoom.io.animation.webp import pillow_frames

_PARENTS = (b"moov", b"trak", b"edts", b"mdia", b"minf", b"stbl")
_LONGEST_BYTES = 2**16
_REPEATS = 1
_MOST_PLAYS = 2**32 - 1
_HIGH_BIT_DEPTH = 0x40


def is_avif_sequence(start: bytes) -> bool:
    """Tell whether a file's major brand is that of a sequence.

    Args:
        start: at least the first 12 bytes.
    """
    return start[4:12] == b"ftypavis"


def also_holds_sequence(path: Path) -> bool:
    """Tell whether a still picture has a sequence as well, which is not read.

    Args:
        path: an AVIF.
    """
    with path.open("rb") as file:
        return any(kind == b"tkhd" for kind, _ in _boxes(file, 0, file.seek(0, 2)))


def avif_layout(file: BinaryIO) -> Layout:
    """Read the size and the frames; no px are decoded.

    Args:
        file: an AVIF sequence.

    Raises:
        DamagedError: the file is damaged, or this Pillow cannot read AVIF.
        SizeError: there are too many frames.
    """
    if not features.check("avif"):
        raise DamagedError("this Pillow has no AVIF; install one from 11.3 on")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            file.seek(0)
            picture = Image.open(file, formats=["AVIF"])
        width, height = picture.size
        frames = int(getattr(picture, "n_frames", 1))
        plays, deep = _stated(file)
    except (OSError, ValueError, SyntaxError, RuntimeError) as error:
        raise DamagedError(str(error) or type(error).__name__) from error
    check_count(frames)
    notes = ("an animation has 8 bit: more are rounded",) if deep else ()
    channels = 4 if picture.mode == "RGBA" else 3
    area, profile = width * height, picture.info.get("icc_profile")
    return Layout(
        "AVIF", width, height, channels, frames, plays, area * frames, area, profile, notes
    )


def avif_frames(path: Path, layout: Layout) -> Iterator[tuple[Levels, float]]:
    """Decode frame by frame.

    Args:
        path: an AVIF sequence.
        layout: its layout.

    Yields:
        Each frame, (H, W, 4) uint8, and its duration in ms.

    Raises:
        DamagedError: a frame is damaged.
    """
    with path.open("rb") as file:
        yield from pillow_frames(file, layout)


def _stated(file: BinaryIO) -> tuple[int, bool]:
    """Read the number of plays from the edit list, and whether the sequence exceeds 8 bit.

    With the flag "repeat edits", the segment repeats until the duration of the track (14496-12,
    8.6.6); a duration with all bits set is endless.
    """
    length, deep = 0, False
    end = file.seek(0, 2)
    for kind, data in _boxes(file, 0, end):
        if kind == b"tkhd" and not length:
            wide = data[:1] == b"\1"
            length = _number(data[28:36] if wide else data[20:24])
            endless = length == (2**64 - 1 if wide else 2**32 - 1)
        elif kind == b"elst" and length:
            repeats = data[3:4] == bytes([_REPEATS])
            segment = _number(data[8:16] if data[:1] == b"\1" else data[8:12])
            if not repeats:
                return 1, deep
            if endless or not segment:
                return 0, deep
            return min(_MOST_PLAYS, max(1, -(-length // segment))), deep
        elif kind == b"stsd":
            at = data.find(b"av1C")
            deep |= bool(at >= 0 and data[at + 6 : at + 7] and data[at + 6] & _HIGH_BIT_DEPTH)
    return 0, deep


def _boxes(file: BinaryIO, at: int, end: int) -> Iterator[tuple[bytes, bytes]]:
    while at + 8 <= end:
        file.seek(at)
        head = file.read(8)
        size, kind, inside = _number(head[:4]), head[4:], at + 8
        if size == 1:
            size, inside = _number(file.read(8)), at + 16
        following = end if size == 0 else min(end, at + size)
        if following < inside:
            return
        if kind in _PARENTS:
            yield from _boxes(file, inside, following)
        else:
            yield kind, file.read(min(following - inside, _LONGEST_BYTES))
        at = following


def _number(data: bytes) -> int:
    return int.from_bytes(data, "big")
