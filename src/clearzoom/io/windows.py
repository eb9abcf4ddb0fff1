"""A few parts of a picture file, spread over it, with little of it in memory."""

from dataclasses import dataclass

import numpy as np
import pyvips

from clearzoom.io.libvips_errors import VIPS_ERRORS, unreadable
from clearzoom.io.picture import Samples
from clearzoom.io.reading import Source, upright

WINDOW_PX = 96
_ALONG = 4


@dataclass(frozen=True)
class Place:
    """Where a window lies, in px."""

    left: int
    top: int
    width: int
    height: int


def window_grid(width_px: int, height_px: int) -> list[Place]:
    """Give the places of up to 16 windows of 96x96 px; they depend on nothing but the size.

    Args:
        width_px: of the picture.
        height_px: of the picture.

    Returns:
        Row by row. Of a picture that is smaller along an axis, its whole length there.

    Example:
        >>> [(place.left, place.top) for place in window_grid(200, 50)]
        [(2, 0), (102, 0)]
    """
    across, down = _along(width_px), _along(height_px)
    width, height = min(WINDOW_PX, width_px), min(WINDOW_PX, height_px)
    return [Place(left, top, width, height) for top in down for left in across]


def read_windows(source: Source) -> list[Samples]:
    """Decode the windows of a picture file, row by row from its top.

    Args:
        source: from ``open_picture``; of an animation the first frame is read.

    Returns:
        For each of ``window_grid`` (H, W, C), as ``decode`` has them there.

    Raises:
        UnreadablePictureError: truncated or damaged before the last window.
    """
    try:
        return _windows(upright(source, sequential=True), source)
    except VIPS_ERRORS as error:
        raise unreadable(source.path, error) from error


def _windows(plain: pyvips.Image, source: Source) -> list[Samples]:
    region, windows = pyvips.Region.new(plain), []
    top, rows = -1, np.empty((0, 0, 0), source.dtype)
    for place in window_grid(source.width_px, source.height_px):
        if place.top != top:  # a row of windows is read at once, each px once
            top, shape = place.top, (place.height, plain.width, plain.bands)
            read = region.fetch(0, top, plain.width, place.height)
            rows = np.frombuffer(read, source.dtype).reshape(shape)
        windows.append(rows[:, place.left : place.left + place.width].copy())
    return windows


def _along(length_px: int) -> list[int]:
    windows = min(_ALONG, max(1, length_px // WINDOW_PX))
    middles = (length_px * (2 * window + 1) // (2 * windows) for window in range(windows))
    return [max(0, middle - WINDOW_PX // 2) for middle in middles]
