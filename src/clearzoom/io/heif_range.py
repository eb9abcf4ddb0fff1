"""Samples of AVIF and HEIC in the whole range, as their files mean them."""

from pathlib import Path

import numpy as np
import pyvips
from PIL import Image

from clearzoom.errors import SizeError
from clearzoom.io.heif_colours import read_heif_colours
from clearzoom.io.libvips_files import states

_BITS_FIELD = "bits-per-sample"
_MOST = 65_535


def check_pixels(path: Path, width: int, height: int, max_pixels: int | None) -> None:
    """Refuse a picture that states more px than are wanted.

    Raises:
        SizeError: more than max_pixels.
    """
    if max_pixels is not None and width * height > max_pixels:
        raise SizeError(
            f"{path} has {width}x{height} px, more than {max_pixels:,}; "
            "raise --max-pixels if it is meant to"
        )


def in_whole_range(
    image: pyvips.Image, path: Path, max_pixels: int | None, bits: int | None = None
) -> pyvips.Image:
    """Mend two things that libheif leaves as they are coded.

    Samples of 10 or 12 bit come shifted to 16, so that white is 65,472 or 65,520 and not 65,535;
    and grey that is coded in the range of television stays in it: black is 16 of 255, white 235.

    Args:
        image: as libheif gave it.
        path: of its file.
        max_pixels: at most so many are decoded here, to see what a file does not say.
        bits: of its samples; None: as libvips says.

    Raises:
        SizeError: more than max_pixels.

    References:
        ITU-T H.273, 8.3: how levels are quantised.
    """
    if bits is None:
        bits = int(image.get(_BITS_FIELD)) if states(image, _BITS_FIELD) else 8
    deep = image.format == "ushort"
    most = ((1 << bits) - 1) << (16 - bits) if deep else 255
    factor, offset = (_MOST if deep else 255) / most, 0.0
    limited = _is_limited_grey(image, path, max_pixels)
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


def _is_limited_grey(image: pyvips.Image, path: Path, max_pixels: int | None) -> bool:
    stated = read_heif_colours(path)
    if not stated.grey:
        return False
    if stated.nclx is not None:
        return not stated.nclx.full_range
    # Then it stands within the coded picture: another decoder knows.
    check_pixels(path, image.width, image.height, max_pixels)
    try:
        with Image.open(path) as picture:
            theirs = np.asarray(picture.convert("L")).astype(int)
    except Exception:  # Pillow cannot read it: nothing is known
        return False
    ours = image[0].numpy().astype(int)
    ours = ours >> 8 if image.format == "ushort" else ours
    return ours.shape == theirs.shape and bool(np.abs(ours - theirs).max() > 1)
