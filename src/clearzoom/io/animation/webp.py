"""Animated WebP: the layout that the file states; libwebp decodes the frames.

References:
    WebP container specification (RFC 9649), 2.7.
"""

import io
import warnings
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

import numpy as np
from PIL import Image

from clearzoom.core.arrays import Levels
from clearzoom.io.animation.layout import DamagedError, Layout, check_count

_ANIMATION, _ALPHA = 0x02, 0x10
_FLAGS_AT = 20


def webp_layout(file: BinaryIO) -> Layout | None:
    """Read the size and the frames; no px are decoded.

    Args:
        file: a WebP.

    Returns:
        The layout, or None for a WebP without an animation.

    Raises:
        DamagedError: the file has no frame, or is cut off in one.
        SizeError: there are too many frames.
    """
    file.seek(12)
    head = file.read(18)
    if head[:4] != b"VP8X" or len(head) < 18 or not head[8] & _ANIMATION:
        return None
    width, height = (int.from_bytes(head[at : at + 3], "little") + 1 for at in (12, 15))
    frames, plays, transparent = 0, 0, bool(head[8] & _ALPHA)
    for kind, _ in _chunks(file):
        if kind == b"ANIM":
            plays = int.from_bytes(file.read(6)[4:], "little")
        elif kind == b"ANMF":
            check_count(frames := frames + 1)
            frame = file.read(16)
            sides = tuple(int.from_bytes(frame[at : at + 3], "little") + 1 for at in (6, 9))
            # Disposed areas and areas without a frame are transparent even without the alpha flag.
            transparent |= bool(frame[15:] and frame[15] & 1)
            transparent |= frames == 1 and sides != (width, height)
    if not frames:
        raise DamagedError("it has no frame")
    area = width * height
    return Layout("WebP", width, height, 3 + transparent, frames, plays, area * frames, area)


def webp_frames(path: Path, layout: Layout) -> Iterator[tuple[Levels, float]]:
    """Decode frame by frame.

    Args:
        path: a WebP.
        layout: its layout.

    Yields:
        Each composited frame, (H, W, 4) uint8, and its duration in ms.

    Raises:
        DamagedError: a frame is damaged.
    """
    encoded = bytearray(path.read_bytes())
    encoded[_FLAGS_AT] |= _ALPHA  # Without this flag, areas without a frame would be black.
    yield from pillow_frames(io.BytesIO(encoded), layout)


def pillow_frames(file: BinaryIO, layout: Layout) -> Iterator[tuple[Levels, float]]:
    """Decode frame by frame through Pillow, which uses the format's own library.

    Args:
        file: a WebP or AVIF.
        layout: its layout.

    Yields:
        Each composited frame, (H, W, 4) uint8, and its duration in ms.

    Raises:
        DamagedError: a frame is damaged, or size or number of frames differ from the layout.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            picture = Image.open(file, formats=[layout.kind])
        frames = getattr(picture, "n_frames", 1)
        if (*picture.size, frames) != (layout.width_px, layout.height_px, layout.frames):
            raise DamagedError("its frames are not what its header says")
        for index in range(frames):
            picture.seek(index)
            pixels = np.asarray(picture.convert("RGBA"))
            yield pixels, float(picture.info.get("duration", 0))
    except (OSError, ValueError, SyntaxError, RuntimeError, EOFError) as error:
        raise DamagedError(str(error) or type(error).__name__) from error


def riff_kinds(file: BinaryIO) -> list[bytes]:
    """List the kinds of all chunks up to the end of the file, or to where it is cut off.

    Args:
        file: a WebP.
    """
    kinds = []
    with suppress(DamagedError):
        for kind, _ in _chunks(file):
            kinds.append(kind)
    return kinds


def _chunks(file: BinaryIO) -> Iterator[tuple[bytes, int]]:
    """List kind and length of each chunk, with the file at its data."""
    file.seek(4)
    end = 8 + int.from_bytes(file.read(4), "little")
    at = 12
    while at + 8 <= end:
        file.seek(at)
        head = file.read(8)
        length = int.from_bytes(head[4:], "little")
        yield head[:4], length
        at += 8 + length + length % 2
        if len(head) < 8 or file.seek(0, 2) < at:
            raise DamagedError("the file ends in the middle")
