"""The reader of files with frames: GIF, APNG, animated WebP and AVIF sequences.

Only this module decides whether a file has frames, their size and number, and how each looks. Still
pictures in PNG, WebP and AVIF are read by libvips.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from clearzoom.core.arrays import Levels
from clearzoom.errors import SizeError, UnreadablePictureError
from clearzoom.io.animation.apng import SIGNATURE, apng_layout, apng_patches
from clearzoom.io.animation.avif_frames import avif_frames, avif_layout, is_avif_sequence
from clearzoom.io.animation.canvas import Canvas
from clearzoom.io.animation.gif_frames import gif_layout, gif_patches
from clearzoom.io.animation.layout import DamagedError, Layout
from clearzoom.io.animation.webp import webp_frames, webp_layout
from clearzoom.io.libvips_errors import damaged
from clearzoom.io.picture_file import PictureFile


@dataclass(frozen=True)
class Frame:
    """A composited frame: ``pixels`` is (H, W, 4) uint8 with straight alpha.

    The next frame overwrites the array.
    """

    pixels: Levels
    duration_ms: float


def layout_of(path: Path) -> Layout | None:
    """Read the size and number of the frames of a file; no px are decoded.

    Args:
        path: any file.

    Returns:
        The layout, or None if the file has no frames or cannot be opened.

    Raises:
        UnreadablePictureError: the file is damaged.
        SizeError: it has more than 100,000 frames.
    """
    try:
        file = PictureFile(path)
    except OSError:
        return None
    with file:
        return layout_in(file)


def layout_in(file: PictureFile) -> Layout | None:
    """Read the size and number of the frames of an open file, as ``layout_of`` does.

    Args:
        file: any file.
    """
    start = file.start
    with _naming(file.path):
        if start[:6] in (b"GIF87a", b"GIF89a"):
            return gif_layout(file.file)
        if start[:8] == SIGNATURE:
            return apng_layout(file.file)
        if start[:4] == b"RIFF" and start[8:12] == b"WEBP":
            return webp_layout(file.file)
        return avif_layout(file.file) if is_avif_sequence(start) else None


def frames_of(path: Path, layout: Layout) -> Iterator[Frame]:
    """Decode frame by frame; at most two screens are in memory.

    Args:
        path: a file with frames.
        layout: its layout.

    Yields:
        Each composited frame; the next frame overwrites its array.

    Raises:
        UnreadablePictureError: a frame is damaged, or the file has changed since its layout was
            read.
    """
    with _naming(path):
        if layout_of(path) != layout:
            raise UnreadablePictureError(f"{path} changed while it was read")
        if layout.kind in ("WebP", "AVIF"):
            decode = webp_frames if layout.kind == "WebP" else avif_frames
            for pixels, duration_ms in decode(path, layout):
                yield Frame(pixels, duration_ms)
            return
        canvas = Canvas(layout.width_px, layout.height_px)
        for patch in (gif_patches if layout.kind == "GIF" else apng_patches)(path):
            yield Frame(canvas.draw(patch), patch.duration_ms)


def first_frame(path: Path, layout: Layout) -> Levels:
    """Decode the first frame of a file.

    Args:
        path: a file with frames.
        layout: its layout.

    Returns:
        (H, W, C) uint8 with the channels of the layout.

    Raises:
        UnreadablePictureError: the frame is damaged.
    """
    pixels = next(frames_of(path, layout)).pixels
    # Red, green and blue are equal in a grey picture.
    channels = [*range(1 if layout.channels <= 2 else 3)]
    channels += [] if layout.channels % 2 else [3]
    return np.ascontiguousarray(pixels[..., channels])


@contextmanager
def _naming(path: Path) -> Iterator[None]:
    try:
        yield
    except DamagedError as error:
        raise damaged(path, str(error)) from error
    except SizeError as error:
        raise SizeError(f"{path} cannot be read: {error}") from error
