"""Resample any part of a picture, also one that begins within a px, to any size."""

import numpy as np
import pyvips
from PIL import Image

LANCZOS_REACH = 3
"""Px on each side of a px that its resampling reads, counted in px of the smaller size."""
_OPAQUE = {"uchar": 255, "ushort": 65_535}


def resampled(
    image: pyvips.Image, part: tuple[float, float, float, float], width: int, height: int
) -> pyvips.Image:
    """Resample by Lanczos, antialiased; the colour of transparent px does not show.

    Args:
        image: 8 or 16 bit, of any colour space; px around the part are read too.
        part: left, top, right and bottom edges, in px of the image.
        width: width of the result, px.
        height: height of the result, px.

    Returns:
        An image of width x height px, in the format and colour space of the image.
    """
    opaque = _OPAQUE[image.format]
    flat = image.premultiply(max_alpha=opaque) if image.hasalpha() else image
    samples = flat.cast("float").numpy().reshape(image.height, image.width, image.bands)
    size, lanczos = (width, height), Image.Resampling.LANCZOS
    bands = [
        Image.fromarray(np.ascontiguousarray(samples[..., band])).resize(size, lanczos, part)
        for band in range(image.bands)
    ]
    result = pyvips.Image.new_from_array(
        np.stack([np.asarray(band) for band in bands], axis=-1),
        interpretation=image.interpretation,
    )
    if image.hasalpha():
        result = result.unpremultiply(max_alpha=opaque)
    return result.rint().cast(image.format)
