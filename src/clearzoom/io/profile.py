"""ICC profiles, as far as enlarging must understand them."""

from functools import lru_cache

import numpy as np
import pyvips

from clearzoom.core.tone import Tone, tone_of


@lru_cache(maxsize=16)
def profile_tone(profile: bytes, colours: int, levels: int) -> Tone | None:
    """Measure a profile's tone curve along its greys.

    Args:
        profile: ICC, of grey or RGB.
        colours: 1 or 3.
        levels: 256 or 65,536.

    Returns:
        The curve, or None for one like sRGB's or a profile that cannot be read.
    """
    ramp = np.arange(levels, dtype=np.uint16 if levels > 256 else np.uint8)
    greys = np.repeat(ramp[None, :, None], colours, axis=2)
    deep = levels > 256
    kind = ("rgb16" if deep else "srgb") if colours == 3 else ("grey16" if deep else "b-w")
    image = pyvips.Image.new_from_array(greys, interpretation=kind).copy()
    image.set_type(pyvips.GValue.blob_type, "icc-profile-data", profile)
    try:
        xyz = image.icc_import(embedded=True, pcs="xyz", intent="relative").numpy()
    except pyvips.Error:
        return None
    light = xyz[0, :, 1].astype(np.float64)
    if not light[-1] > light[0]:
        return None
    return tone_of((light - light[0]) / (light[-1] - light[0]))
