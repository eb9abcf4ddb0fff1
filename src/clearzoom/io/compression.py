"""Compress a picture and decode it again, for the loss of a camera's or a web site's encoder."""

from typing import Literal

import numpy as np
import pyvips

from clearzoom.core.arrays import Levels

Colour = Literal["auto", "4:4:4", "4:2:0"]

_SUBSAMPLING = {"auto": "auto", "4:4:4": "off", "4:2:0": "on"}


def compressed(
    picture: Levels,
    kind: Literal["jpg", "webp"],
    quality: int,
    colour: Colour = "auto",
    start_px: tuple[int, int] = (0, 0),
) -> Levels:
    """Encode a picture and decode it.

    Args:
        picture: (H, W, 3) uint8 sRGB.
        kind: the format.
        quality: 1 to 100.
        colour: the chroma subsampling of a JPEG; "auto" halves the resolution of colours below
            quality 90. WebP always halves it.
        start_px: the rows and columns by which the encoder's blocks begin before the picture, as
            in a picture that was cropped after compression.

    Returns:
        (H, W, 3) uint8 sRGB.
    """
    height, width = picture.shape[:2]
    top, left = start_px
    if top or left:
        picture = np.pad(picture, ((top, 0), (left, 0), (0, 0)), "edge")
    pixels = decoded(encoded(picture, kind, quality, colour))
    return np.ascontiguousarray(pixels[top : top + height, left : left + width])


def encoded(
    picture: Levels, kind: Literal["jpg", "webp"], quality: int, colour: Colour = "auto"
) -> bytes:
    """Encode a picture to the content of a file, whose tables state how much is lost.

    Args:
        picture: (H, W, 3) uint8 sRGB.
        kind: the format.
        quality: 1 to 100.
        colour: the chroma subsampling, as in ``compressed``.
    """
    image = pyvips.Image.new_from_array(np.ascontiguousarray(picture), interpretation="srgb")
    options = {"subsample_mode": _SUBSAMPLING[colour]} if kind == "jpg" else {}
    content: bytes = image.write_to_buffer(f".{kind}", Q=quality, **options)
    return content


def decoded(content: bytes) -> Levels:
    """Decode the content of a file.

    Args:
        content: a file from ``encoded``.

    Returns:
        (H, W, 3) uint8 sRGB.
    """
    pixels: Levels = pyvips.Image.new_from_buffer(content, "").extract_band(0, n=3).numpy()
    return pixels
