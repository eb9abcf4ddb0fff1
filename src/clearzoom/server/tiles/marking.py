"""Draw an owner's watermark over the pixels of a view.

It is placed in coordinates of the whole picture, and each pixel depends on its own place alone: so
the tiles of a level fit together, and zooming does not move the watermark.
"""

from math import log2

import numpy as np
import numpy.typing as npt
import pyvips

from clearzoom.server.gallery.watermark import Watermark
from clearzoom.server.tiles.views import View

_GAP = 0.5
"""Between repeated watermarks, as a share of their width."""
_MARGIN = 0.02
"""Between a watermark and the picture's edge, as a share of the picture's width."""
_ROWS_AT_ONCE = 128
_OPAQUE = 255

Floats = npt.NDArray[np.float64]


def marked(image: pyvips.Image, view: View, watermark: Watermark) -> pyvips.Image:
    """Draw a watermark.

    Args:
        image: 8-bit sRGB or grey, with or without alpha, of the view's size.
        view: says which part of the picture the image is.
        watermark: what is drawn, and where.

    Returns:
        8-bit sRGB; the image itself where the view has no part of the watermark.

    Raises:
        ConfigError: the watermark's own file cannot be read.
    """
    stamp, box = watermark.stamp(), view.box
    picture_width, picture_height = (side * view.variant.scale for side in view.source_px)
    rows, columns = stamp.halves[0].shape[:2]
    # From here on, lengths are shares of the picture's width.
    tall = picture_height / picture_width
    wide = min(watermark.width, tall * columns / rows)
    high = wide * rows / columns
    x = (box.left + _centres(view.width) * box.width) / picture_width
    y = (box.top + _centres(view.height) * box.height) / picture_width
    x = _within(x, wide, 1, watermark.position, ("left", "right"), wide * _GAP)
    y = _within(y, high, tall, watermark.position, ("top", "bottom"), wide * _GAP)
    on_x, on_y = (np.flatnonzero((place >= 0) & (place < 1)) for place in (x, y))
    if not (on_x.size and on_y.size):
        return image
    samples = np.array(image.colourspace("srgb").numpy())
    size_px = wide * picture_width * view.width / box.width
    half = min(max(0, round(log2(columns / size_px))), len(stamp.halves) - 1)
    drawn = stamp.halves[half]
    across, down = x[on_x] * columns / 2**half, y[on_y] * rows / 2**half
    for first in range(0, on_y.size, _ROWS_AT_ONCE):
        chosen = slice(first, first + _ROWS_AT_ONCE)
        part = np.ix_(on_y[chosen], on_x)
        over = _interpolated(drawn, down[chosen], across) * (watermark.opacity / _OPAQUE)
        samples[part] = _over(over, samples[part])
    return pyvips.Image.new_from_array(samples, interpretation="srgb")


def _centres(length: int) -> Floats:
    """Return the centres of px as shares of a length."""
    centres: Floats = (np.arange(length) + 0.5) / length
    return centres


def _within(
    places: Floats, length: float, whole: float, position: str, ends: tuple[str, str], gap: float
) -> Floats:
    """Return places in the watermark as shares of its length; those below 0 or from 1 on miss it.

    Args:
        places: places in the picture.
        length: length of the watermark.
        whole: length of the picture.
        position: where the watermark is.
        ends: names of the two ends of the picture.
        gap: what lies between repeated watermarks.
    """
    if position == "repeat":
        return ((places - gap / 2) % (length + gap)) / length
    margin = min(_MARGIN, (whole - length) / 2)
    start = (whole - length) / 2
    if ends[0] in position:
        start = margin
    elif ends[1] in position:
        start = whole - length - margin
    return (places - start) / length


def _interpolated(drawn: npt.NDArray[np.uint8], y: Floats, x: Floats) -> npt.NDArray[np.float32]:
    """Interpolate linearly at the crossings of rows and columns; around the image is nothing.

    Args:
        drawn: (H, W, C).
        y: (h,) places of rows, in px from the upper edge.
        x: (w,) places of columns, in px from the left edge.

    Returns:
        (h, w, C), in levels.
    """
    framed = np.pad(drawn, [(1, 1), (1, 1), (0, 0)])
    # The frame is one px wide, and the centre of a px half a px from its edge.
    top, left = (np.floor(place + 0.5).astype(int) for place in (y, x))
    down = ((y + 0.5) - top).astype(np.float32)[:, None, None]
    right = ((x + 0.5) - left).astype(np.float32)[None, :, None]
    last_y, last_x = framed.shape[0] - 1, framed.shape[1] - 1
    top, bottom = np.minimum(top, last_y), np.minimum(top + 1, last_y)
    left, beside = np.minimum(left, last_x), np.minimum(left + 1, last_x)
    upper = framed[np.ix_(top, left)] * (1 - right) + framed[np.ix_(top, beside)] * right
    lower = framed[np.ix_(bottom, left)] * (1 - right) + framed[np.ix_(bottom, beside)] * right
    mixed: npt.NDArray[np.float32] = upper * (1 - down) + lower * down
    return mixed


def _over(upper: npt.NDArray[np.float32], samples: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """Lay premultiplied colours from 0 to 1 over samples, which may have straight alpha."""
    cover = upper[..., 3:]
    lower = samples.astype(np.float32) / _OPAQUE
    beneath = 1 - cover
    if samples.shape[-1] == 3:
        result = upper[..., :3] + lower * beneath
    else:
        alpha = cover + lower[..., 3:] * beneath
        colour = upper[..., :3] + lower[..., :3] * lower[..., 3:] * beneath
        result = np.concatenate([colour / np.maximum(alpha, 1e-6), alpha], -1)
        result = np.where(cover > 0, result, lower)
    return (np.clip(result, 0, 1) * _OPAQUE + 0.5).astype(np.uint8)
