"""A temporary file with the frames of an animation, so that they need no memory."""

from math import prod
from pathlib import Path
from types import TracebackType

import numpy as np
import pyvips

from clearzoom.core.arrays import Levels
from clearzoom.io.raw_tiff import header, map_picture, stream_picture
from clearzoom.io.scratch import release, reserve


class FrameSpool:
    """Frames of one shape in a vertical strip, as libvips needs them.

    Args:
        beside: the file to be written; its folder needs room for all frames, uncompressed.
        frames: the number of frames.
        shape: (H, W, C) of a frame; C is 3 or 4.

    Raises:
        OutputError: the disk is full.
    """

    def __init__(self, beside: Path, frames: int, shape: tuple[int, int, int]) -> None:
        self.frames, self.shape = frames, shape
        self._path = beside.with_name(f"{beside.stem}~frames.tif")
        height, width, channels = shape
        strip = (frames * height, width, channels)
        try:
            reserve(self._path, len(header(strip, "u1", cmyk=False)) + prod(strip))
            self._strip = map_picture(self._path, strip, "u1", cmyk=False)
        except BaseException:
            self._path.unlink(missing_ok=True)
            raise

    def put(self, index: int, pixels: Levels) -> None:
        """Store a frame.

        Args:
            index: its number, from 0.
            pixels: (H, W, C) uint8.
        """
        height = self.shape[0]
        self._strip[index * height : (index + 1) * height] = pixels
        release(self._strip)

    def frame(self, index: int) -> Levels:
        """Read one frame: (H, W, C) uint8."""
        height = self.shape[0]
        pixels: Levels = np.array(self._strip[index * height : (index + 1) * height], np.uint8)
        release(self._strip)
        return pixels

    def image(self) -> pyvips.Image:
        """Open the strip of frames to read it once, from top to bottom."""
        if isinstance(self._strip, np.memmap):
            self._strip.flush()
        image = stream_picture(self._path).copy(interpretation="srgb")
        image.set_type(pyvips.GValue.gint_type, "page-height", self.shape[0])
        return image

    def __enter__(self) -> "FrameSpool":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        del self._strip  # Windows does not remove mapped files.
        self._path.unlink(missing_ok=True)
