"""Compress a picture and decode it again: what a camera's or a site's encoder leaves of it."""

from typing import Literal

import numpy as np
import numpy.typing as npt
import pyvips

Image = npt.NDArray[np.uint8]
Colour = Literal["auto", "4:4:4", "4:2:0"]

_SUBSAMPLING = {"auto": "auto", "4:4:4": "off", "4:2:0": "on"}


def compressed(
    picture: Image,
    kind: Literal["jpg", "webp"],
    quality: int,
    colour: Colour = "auto",
    start_px: tuple[int, int] = (0, 0),
) -> Image:
    """Encode and decode.

    Args:
        picture: (H, W, 3) uint8 sRGB.
        kind: of the encoder.
        quality: 1 to 100.
        colour: its resolution in a JPEG: whole, halved both ways, or as libvips chooses: halved
            below quality 90. WebP always halves it.
        start_px: rows and columns that the encoder's blocks begin before the picture, as if it had
            been cut out afterwards.

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
    picture: Image, kind: Literal["jpg", "webp"], quality: int, colour: Colour = "auto"
) -> bytes:
    """Encode to a file's content, which says by its own tables how much is lost.

    Args:
        picture: (H, W, 3) uint8 sRGB.
        kind: of the encoder.
        quality: 1 to 100.
        colour: see ``compressed``.
    """
    image = pyvips.Image.new_from_array(np.ascontiguousarray(picture), interpretation="srgb")
    options = {"subsample_mode": _SUBSAMPLING[colour]} if kind == "jpg" else {}
    content: bytes = image.write_to_buffer(f".{kind}", Q=quality, **options)
    return content


def decoded(content: bytes) -> Image:
    """Decode what ``encoded`` gave.

    Args:
        content: of a file.

    Returns:
        (H, W, 3) uint8 sRGB.
    """
    pixels: Image = pyvips.Image.new_from_buffer(content, "").extract_band(0, n=3).numpy()
    return pixels
