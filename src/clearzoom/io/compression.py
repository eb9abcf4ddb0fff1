"""Compress a picture and decode it again: what a camera's or a site's encoder leaves of it."""

from typing import Literal

import numpy as np
import numpy.typing as npt
import pyvips

Image = npt.NDArray[np.uint8]


def compressed(picture: Image, kind: Literal["jpg", "webp"], quality: int) -> Image:
    """Encode and decode; libvips halves the colour's resolution in JPEG below quality 90.

    Args:
        picture: (H, W, 3) uint8 sRGB.
        kind: of the encoder.
        quality: 1 to 100.

    Returns:
        (H, W, 3) uint8 sRGB.
    """
    image = pyvips.Image.new_from_array(np.ascontiguousarray(picture), interpretation="srgb")
    encoded = image.write_to_buffer(f".{kind}", Q=quality)
    pixels: Image = pyvips.Image.new_from_buffer(encoded, "").extract_band(0, n=3).numpy()
    return pixels
