"""GIF: the layout that the file states, and the px of each frame.

The blocks are parsed here because decoders disagree about the size: libvips ignores logical screens
of some common sizes, and Pillow's screen grows with each frame. Pillow only decodes LZW.

References:
    GIF89a specification (CompuServe, 1990). Files that violate it are read as in Chromium.
"""

import io
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
from PIL.GifImagePlugin import GifImageFile

from clearzoom.core.arrays import Levels
from clearzoom.io.animation.canvas import Disposal, Patch
from clearzoom.io.animation.layout import DamagedError, Layout, check_count

_UNIT_MS = 10
_UNSTATED_MS = 100.0
_DISPOSALS = {2: Disposal.CLEAR, 3: Disposal.RESTORE, 4: Disposal.RESTORE}
_RAMP = bytes(level for level in range(256) for _ in range(3))
_NO_END = "the file does not end as a GIF must: frames may be missing"


@dataclass(frozen=True, slots=True)
class _Frame:
    """The header of a frame: ``palette`` is (n, 3) uint8, its LZW data begin at ``at``."""

    left: int
    top: int
    width: int
    height: int
    interlaced: bool
    palette: Levels
    at: int
    transparent: int | None = None
    disposal: Disposal = Disposal.KEEP
    duration_ms: float = _UNSTATED_MS


@dataclass
class _Screen:
    """The logical screen; ``repeats`` counts the plays after the first one, 0 is endless."""

    width: int
    height: int
    palette: Levels
    repeats: int | None = None
    ended: bool = False


def gif_layout(file: BinaryIO) -> Layout:
    """Read the size and the frames; no px are decoded.

    Args:
        file: a GIF.

    Raises:
        DamagedError: the file has no frame, or is cut off in one.
        SizeError: there are too many frames.
    """
    screen = _screen(file)
    width, height = screen.width, screen.height
    frames, pixels, largest, grey, transparent = 0, 0, 0, True, False
    for frame in _frames(file, screen):
        if not frames:
            # The screen grows to hold the first frame; later frames are cropped to it.
            width = max(width, frame.left + frame.width)
            height = max(height, frame.top + frame.height)
            transparent = (frame.width, frame.height) != (width, height)
        frames += 1
        check_count(frames)
        transparent |= frame.transparent is not None or frame.disposal is not Disposal.KEEP
        grey = grey and bool((frame.palette == frame.palette[:, :1]).all())
        decoded = max(width * height, frame.width * frame.height)
        pixels += decoded
        largest = max(largest, decoded)
    if not frames or not width or not height:
        raise DamagedError("it has no frame")
    colours = 1 if grey and frames == 1 else 3
    plays = 1 if screen.repeats is None else screen.repeats and screen.repeats + 1
    notes = () if screen.ended else (_NO_END,)
    return Layout(
        "GIF", width, height, colours + transparent, frames, plays, pixels, largest, notes=notes
    )


def gif_patches(path: Path) -> Iterator[Patch]:
    """Decode frame by frame.

    Args:
        path: a GIF.

    Yields:
        The patch of each frame.

    Raises:
        DamagedError: a frame is damaged.
    """
    with path.open("rb") as file:
        for frame in _frames(file, _screen(file)):
            behind = file.tell()
            file.seek(frame.at)
            pixels = _decoded(file, frame)
            file.seek(behind)
            yield Patch(pixels, frame.left, frame.top, frame.disposal, True, frame.duration_ms)


def _screen(file: BinaryIO) -> _Screen:
    file.seek(6)
    width, height, flags, _, _ = struct.unpack("<HHBBB", _read(file, 7))
    return _Screen(width, height, _palette(file, flags))


def _palette(file: BinaryIO, flags: int) -> Levels:
    if not flags & 0x80:
        return np.zeros((1, 3), np.uint8)
    colours = 2 << (flags & 7)
    return np.frombuffer(_read(file, 3 * colours), np.uint8).reshape(colours, 3)


def _frames(file: BinaryIO, screen: _Screen) -> Iterator[_Frame]:
    """Read the header of each frame, with the file behind its px; update the screen as well."""
    control = b""
    while mark := file.read(1):
        if mark == b";":
            screen.ended = True
            return
        if mark == b"!":
            label = _read(file, 1)
            first = next(_blocks(file), b"")
            if label == b"\xf9" and len(first) >= 4:
                control = first
            if first:
                _extension(file, label + first, screen)
        elif mark == b",":
            yield _frame(file, screen, control)
            control = b""
        elif mark != b"\0":  # Some writers pad with zeros.
            return


def _extension(file: BinaryIO, first: bytes, screen: _Screen) -> None:
    loops = first[1:] in (b"NETSCAPE2.0", b"ANIMEXTS1.0")
    for block in _blocks(file):
        if loops and len(block) >= 3 and block[0] & 7 == 1:
            screen.repeats = int.from_bytes(block[1:3], "little")


def _frame(file: BinaryIO, screen: _Screen, control: bytes) -> _Frame:
    left, top, width, height, flags = struct.unpack("<HHHHB", _read(file, 9))
    palette = _palette(file, flags) if flags & 0x80 else screen.palette
    if not screen.width or not screen.height:  # Chromium then takes the size of the first frame.
        screen.width, screen.height = left + width, top + height
    at = file.tell()
    _read(file, 1)
    for _ in _blocks(file):
        pass
    interlaced = bool(flags & 0x40)
    if not control:
        return _Frame(left, top, width, height, interlaced, palette, at)
    packed, hundredths, index = struct.unpack("<BHB", control[:4])
    return _Frame(
        left,
        top,
        width,
        height,
        interlaced,
        palette,
        at,
        index if packed & 1 else None,
        _DISPOSALS.get(packed >> 2 & 7, Disposal.KEEP),
        float(hundredths * _UNIT_MS),
    )


def _decoded(file: BinaryIO, frame: _Frame) -> Levels:
    """Decode the colour indices as a grey GIF of this frame only, and look up the colours."""
    if not frame.width or not frame.height:
        return np.zeros((frame.height, frame.width, 4), np.uint8)
    size = struct.pack("<HH", frame.width, frame.height)
    alone = [b"GIF89a", size, b"\xf7\0\0", _RAMP, b",\0\0\0\0", size]
    alone += [b"\x40" if frame.interlaced else b"\0", _read(file, 1)]
    for block in _blocks(file):
        alone += [bytes([len(block)]), block]
    try:
        indices = np.asarray(GifImageFile(io.BytesIO(b"".join([*alone, b"\0;"]))))
    except Exception as error:  # Pillow raises any exception for damage.
        raise DamagedError(str(error)) from error
    colours = np.zeros((256, 4), np.uint8)
    colours[:, 3] = 255
    colours[: len(frame.palette), :3] = frame.palette
    if frame.transparent is not None:
        colours[frame.transparent] = 0
    pixels: Levels = colours[indices]
    return pixels


def _blocks(file: BinaryIO) -> Iterator[bytes]:
    while length := _read(file, 1)[0]:
        yield _read(file, length)


def _read(file: BinaryIO, count: int) -> bytes:
    data = file.read(count)
    if len(data) < count:
        raise DamagedError("the file ends in the middle")
    return data
