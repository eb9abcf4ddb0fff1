"""Any part of a picture, fractions of px too, in any size."""

import numpy as np
import pyvips
from PIL import Image

_MOST = {"uchar": 255, "ushort": 65_535}


def resampled(
    image: pyvips.Image, part: tuple[float, float, float, float], width: int, height: int
) -> pyvips.Image:
    """Resample by Lanczos, antialiased; transparent px do not colour others.

    Args:
        image: 8 or 16 bit, of any colour space; what lies around the part is looked at too.
        part: left, top, right and bottom, in px of the image.
        width: of the result, px.
        height: likewise.

    Returns:
        width x height px, in the format and colour space of the image.
    """
    most = _MOST[image.format]
    flat = image.premultiply(max_alpha=most) if image.hasalpha() else image
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
        result = result.unpremultiply(max_alpha=most)
    return result.rint().cast(image.format)
