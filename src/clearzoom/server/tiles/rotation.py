"""Rotate pixels: exactly by quarter turns, by other angles in a larger, transparent frame."""

from math import ceil, cos, radians, sin

import pyvips

QUARTER = 90
_ROUNDING = 1e-6
"""What sine and cosine may add to a side that is a whole number."""


def bounds(width: float, height: float, degrees: float) -> tuple[float, float]:
    """Return width and height of the frame around a rotated rectangle.

    Args:
        width: width before the rotation.
        height: height before it.
        degrees: the angle, in either direction.

    Example:
        >>> bounds(40, 30, 90)
        (30, 40)
        >>> [round(side, 3) for side in bounds(40, 30, 45)]
        [49.497, 49.497]
    """
    if degrees % QUARTER == 0:
        return (height, width) if degrees // QUARTER % 2 else (width, height)
    across, down = abs(cos(radians(degrees))), abs(sin(radians(degrees)))
    return width * across + height * down, width * down + height * across


def rotated_px(width: int, height: int, degrees: float) -> tuple[int, int]:
    """Return width and height in px of a rotated image."""
    across, down = bounds(width, height, degrees)
    return ceil(across - _ROUNDING), ceil(down - _ROUNDING)


def rotated(image: pyvips.Image, degrees: float) -> pyvips.Image:
    """Rotate an image clockwise about its centre, which becomes the centre of the result.

    Args:
        image: 8-bit, with or without alpha.
        degrees: the angle. Quarter turns are exact; others are bicubic, and the result has alpha.

    Returns:
        An image of ``rotated_px``, transparent in its corners.
    """
    if degrees % QUARTER == 0:
        turns = int(degrees // QUARTER) % 4
        return image.rot(f"d{QUARTER * turns}") if turns else image
    width, height = rotated_px(image.width, image.height, degrees)
    across, down = cos(radians(degrees)), sin(radians(degrees))
    image = image if image.hasalpha() else image.addalpha()
    turned = image.premultiply().affine(
        [across, -down, down, across],
        oarea=[0, 0, width, height],
        # The centres of the px have whole coordinates.
        idx=-(image.width - 1) / 2,
        idy=-(image.height - 1) / 2,
        odx=(width - 1) / 2,
        ody=(height - 1) / 2,
        interpolate=pyvips.Interpolate.new("bicubic"),
        extend="background",
        background=[0],
        premultiplied=True,
    )
    return turned.unpremultiply().rint().cast("uchar")  # of itself, libvips would round down
