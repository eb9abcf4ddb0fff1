"""Samples of AVIF and HEIC, scaled to the full range of their type."""

from pathlib import Path

import numpy as np
import pyvips
from PIL import Image

from clearzoom.io.heif_colours import HeifColours
from clearzoom.io.libvips_files import states
from clearzoom.io.picture_file import check_pixels

_BITS_FIELD = "bits-per-sample"
_MOST = 65_535


def in_full_range(
    image: pyvips.Image,
    path: Path,
    colours: HeifColours,
    max_pixels: int | None,
    bits: int | None = None,
) -> pyvips.Image:
    """Scale samples that libheif leaves in the range in which they are coded.

    libheif shifts samples of 10 or 12 bit to 16, so white is 65,472 or 65,520 instead of 65,535. It
    also leaves limited-range grey as it is: black is 16 of 255 and white 235.

    Args:
        image: the image as libheif decodes it.
        path: its file.
        colours: what the file states about its colours.
        max_pixels: the most px to decode here if the file does not state its range.
        bits: the bits of a sample; None takes libvips' number.

    Raises:
        SizeError: the picture has more than max_pixels.

    References:
        ITU-T H.273, 8.3: how levels are quantised.
    """
    if bits is None:
        bits = int(image.get(_BITS_FIELD)) if states(image, _BITS_FIELD) else 8
    deep = image.format == "ushort"
    most = ((1 << bits) - 1) << (16 - bits) if deep else 255
    factor, offset = (_MOST if deep else 255) / most, 0.0
    limited = _is_limited_grey(image, path, colours, max_pixels)
    if not limited and factor == 1:
        return image
    alpha = image[image.bands - 1].linear(factor, 0) if image.hasalpha() else None
    colour = image if alpha is None else image.extract_band(0, n=image.bands - 1)
    if limited:
        step = 256 if deep else 1
        factor, offset = (_MOST if deep else 255) / (219 * step), 16 * step
    parts = [(colour - offset) * factor] + ([] if alpha is None else [alpha])
    whole = parts[0] if alpha is None else parts[0].bandjoin(alpha)
    return whole.rint().cast(image.format).copy(interpretation=image.interpretation)


def _is_limited_grey(
    image: pyvips.Image, path: Path, colours: HeifColours, max_pixels: int | None
) -> bool:
    if not colours.grey:
        return False
    if colours.nclx is not None:
        return not colours.nclx.full_range
    # Without nclx only the coded bit stream states the range. Pillow's decoder applies it, so a
    # difference from Pillow's levels shows a limited range.
    check_pixels(path, image.width, image.height, max_pixels)
    try:
        with Image.open(path) as picture:
            theirs = np.asarray(picture.convert("L")).astype(int)
    except Exception:  # Pillow cannot read the file, so the range stays unknown.
        return False
    ours = image[0].numpy().astype(int)
    ours = ours >> 8 if image.format == "ushort" else ours
    return ours.shape == theirs.shape and bool(np.abs(ours - theirs).max() > 1)
