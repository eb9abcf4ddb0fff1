"""The one reader of files with frames: GIF, APNG, WebP and AVIF sequences.

It decides whether a file is one, its size, the number of frames and what is seen in each; whoever
plans, decodes, appraises or shows such a file asks here. Stills of PNG, WebP and AVIF are libvips'.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from clearzoom.errors import SizeError, UnreadablePictureError
from clearzoom.io.animation.apng import SIGNATURE, apng_layout, apng_patches
from clearzoom.io.animation.avif_frames import avif_frames, avif_layout, is_avif_sequence
from clearzoom.io.animation.canvas import Canvas, Pixels
from clearzoom.io.animation.gif_frames import gif_layout, gif_patches
from clearzoom.io.animation.layout import DamagedError, Layout
from clearzoom.io.animation.webp import webp_frames, webp_layout
from clearzoom.io.libvips_errors import damaged


@dataclass(frozen=True)
class Frame:
    """``pixels``: (H, W, 4) uint8, straight alpha, as seen; they change with the next frame."""

    pixels: Pixels
    duration_ms: float


def layout_of(path: Path) -> Layout | None:
    """Read the size of a file with frames, and how many there are; no px are decoded.

    Args:
        path: any file.

    Returns:
        The layout; None for what is no such file, and where it cannot be opened.

    Raises:
        UnreadablePictureError: damaged.
        SizeError: more than 100,000 frames.
    """
    try:
        file = path.open("rb")
    except OSError:
        return None
    with file, _naming(path):
        start = file.read(16)
        if start[:6] in (b"GIF87a", b"GIF89a"):
            return gif_layout(file)
        if start[:8] == SIGNATURE:
            return apng_layout(file)
        if start[:4] == b"RIFF" and start[8:12] == b"WEBP":
            return webp_layout(file)
        return avif_layout(file) if is_avif_sequence(start) else None


def frames_of(path: Path, layout: Layout) -> Iterator[Frame]:
    """Decode frame by frame; one screen and at most one more are in memory.

    Args:
        path: a file with frames.
        layout: of it.

    Yields:
        Each frame as seen. Its px are those of the next one as soon as that is asked for.

    Raises:
        UnreadablePictureError: a frame is damaged, or the file is no longer what layout says.
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


def first_frame(path: Path, layout: Layout) -> Pixels:
    """Decode what a picture of one frame shows, or an animation at first.

    Args:
        path: a file with frames.
        layout: of it.

    Returns:
        (H, W, C) uint8 with as many channels as layout says.

    Raises:
        UnreadablePictureError: the frame is damaged.
    """
    pixels = next(frames_of(path, layout)).pixels
    # Of grey, red, green and blue are alike.
    colours = range(1 if layout.channels <= 2 else 3)
    wanted = [*colours] if layout.channels % 2 else [*colours, 3]
    return np.ascontiguousarray(pixels[..., wanted])


@contextmanager
def _naming(path: Path) -> Iterator[None]:
    try:
        yield
    except DamagedError as error:
        raise damaged(path, str(error)) from error
    except SizeError as error:
        raise SizeError(f"{path} cannot be read: {error}") from error
