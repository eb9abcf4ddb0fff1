"""Small windows spread evenly over a picture file, read with little of it in memory."""

import numpy as np
import pyvips

from clearzoom.core.box import Box
from clearzoom.io.libvips_errors import VIPS_ERRORS, unreadable
from clearzoom.io.picture import Samples
from clearzoom.io.reading import Source, upright

WINDOW_PX = 96
_ALONG = 4


def window_grid(width_px: int, height_px: int) -> list[Box]:
    """Compute up to 16 windows of 96x96 px; they depend only on the size of the picture.

    Args:
        width_px: the width of the picture.
        height_px: its height.

    Returns:
        The windows row by row. Along an axis on which the picture is smaller, a window is as long.

    Example:
        >>> [(window.left, window.top) for window in window_grid(200, 50)]
        [(2, 0), (102, 0)]
    """
    across, down = _along(width_px), _along(height_px)
    width, height = min(WINDOW_PX, width_px), min(WINDOW_PX, height_px)
    return [Box(left, top, width, height) for top in down for left in across]


def read_windows(source: Source) -> list[Samples]:
    """Decode the windows of a picture file row by row.

    Args:
        source: from ``open_picture``; of an animation, the first frame is read.

    Returns:
        (H, W, C) for each window of ``window_grid``, with the samples that ``decode`` gives there.

    Raises:
        UnreadablePictureError: the file is truncated or damaged before the last window.
    """
    try:
        return _windows(upright(source, sequential=True), source)
    except VIPS_ERRORS as error:
        raise unreadable(source.path, error) from error


def _windows(plain: pyvips.Image, source: Source) -> list[Samples]:
    region, windows = pyvips.Region.new(plain), []
    top, rows = -1, np.empty((0, 0, 0), source.dtype)
    for window in window_grid(source.width_px, source.height_px):
        if window.top != top:  # One fetch reads a row of windows, since px can be read only once.
            top, shape = window.top, (window.height, plain.width, plain.bands)
            data = region.fetch(0, top, plain.width, window.height)
            rows = np.frombuffer(data, source.dtype).reshape(shape)
        windows.append(rows[:, window.left : window.right].copy())
    return windows


def _along(length_px: int) -> list[int]:
    windows = min(_ALONG, max(1, length_px // WINDOW_PX))
    middles = (length_px * (2 * window + 1) // (2 * windows) for window in range(windows))
    return [max(0, middle - WINDOW_PX // 2) for middle in middles]
