"""Turn frames upright, as libvips turns stills."""

import warnings

from PIL import Image

from clearzoom.io.animation.canvas import Pixels

SIDEWAYS = (5, 6, 7, 8)
"""Orientations by which the sides change places."""

_ORIENTATION = 0x0112


def orientation_of(exif: bytes | None) -> int:
    """Read how a picture lies, as EXIF numbers it.

    Args:
        exif: a TIFF structure, or None.

    Returns:
        1 to 8; 1 where nothing, or nonsense, is stated.
    """
    if exif is None:
        return 1
    block = Image.Exif()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            block.load(exif)
            stated = block.get(_ORIENTATION)
    except Exception:  # a damaged block raises anything; it was reported where it was read
        return 1
    return stated if isinstance(stated, int) and 1 <= stated <= 8 else 1


def turned(pixels: Pixels, orientation: int) -> Pixels:
    """Turn px upright.

    Args:
        pixels: (H, W, C), as stored.
        orientation: 1 to 8; from 5 on the sides change places.

    Example:
        >>> import numpy as np
        >>> turned(np.array([[[1], [2]]], np.uint8), 6)[..., 0].tolist()
        [[1], [2]]
    """
    if orientation in (2, 3, 6, 7):
        pixels = pixels[:, ::-1] if orientation in (2, 3) else pixels[::-1]
    if orientation in (3, 4, 7, 8):
        pixels = pixels[::-1] if orientation in (3, 4) else pixels[:, ::-1]
    return pixels.swapaxes(0, 1) if orientation in SIDEWAYS else pixels
