"""Apply EXIF's orientation to frames, as libvips does to still pictures."""

import warnings

from PIL import Image

from clearzoom.core.arrays import Levels

SIDEWAYS = (5, 6, 7, 8)
"""The orientations that exchange width and height."""

_ORIENTATION = 0x0112


def orientation_of(exif: bytes | None) -> int:
    """Read the orientation of a picture.

    Args:
        exif: a TIFF structure, or None.

    Returns:
        1 to 8; 1 if none or an invalid one is stated.
    """
    if exif is None:
        return 1
    block = Image.Exif()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            block.load(exif)
            stated = block.get(_ORIENTATION)
    except Exception:  # Pillow raises any exception for a damaged block, which has its note.
        return 1
    return stated if isinstance(stated, int) and 1 <= stated <= 8 else 1


def turned(pixels: Levels, orientation: int) -> Levels:
    """Turn px upright.

    Args:
        pixels: (H, W, C) as stored.
        orientation: 1 to 8; from 5 on width and height are exchanged.

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
