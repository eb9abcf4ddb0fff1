"""ICC profiles: their tone curves, conversion to sRGB, and whether a format accepts them."""

from functools import lru_cache
from pathlib import Path

import numpy as np
import pyvips

from clearzoom.core.tone_curve import ToneCurve, tone_curve_of
from clearzoom.io.libvips_errors import VIPS_ERRORS
from clearzoom.io.libvips_files import source_of, states

_FIELD = "icc-profile-data"


@lru_cache(maxsize=16)
def profile_tone_curve(profile: bytes, colours: int, levels: int) -> ToneCurve | None:
    """Measure the tone curve of a profile along its greys.

    Args:
        profile: an ICC profile of grey or RGB.
        colours: 1 or 3.
        levels: 256 or 65,536.

    Returns:
        The curve, or None if it is like sRGB's or the profile cannot be read.
    """
    ramp = np.arange(levels, dtype=np.uint16 if levels > 256 else np.uint8)
    greys = np.repeat(ramp[None, :, None], colours, axis=2)
    deep = levels > 256
    kind = ("rgb16" if deep else "srgb") if colours == 3 else ("grey16" if deep else "b-w")
    image = pyvips.Image.new_from_array(greys, interpretation=kind).copy()
    image.set_type(pyvips.GValue.blob_type, _FIELD, profile)
    try:
        xyz = image.icc_import(embedded=True, pcs="xyz", intent="relative").numpy()
    except VIPS_ERRORS:
        return None
    light = xyz[0, :, 1].astype(np.float64)
    if not light[-1] > light[0]:
        return None
    return tone_curve_of((light - light[0]) / (light[-1] - light[0]))


def to_srgb(image: pyvips.Image, profile: bytes) -> pyvips.Image:
    """Convert an image to sRGB, for a format that cannot store its profile.

    Args:
        image: 8 or 16 bit, of grey, RGB or CMYK.
        profile: an ICC profile; if it does not fit, colours count as sRGB or plain CMYK.
    """
    image = image.copy()
    image.set_type(pyvips.GValue.blob_type, _FIELD, profile)
    try:
        return image.icc_transform("srgb", embedded=True)
    except VIPS_ERRORS:  # The profile is damaged; libvips itself ignores one that does not fit.
        image.remove(_FIELD)
        return image.icc_transform("srgb", embedded=True)


def holds_profile(path: Path, profile: bytes) -> bool:
    """Tell whether an encoder has stored a profile in a file; it omits one that does not fit.

    Args:
        path: a picture file.
        profile: the ICC profile.
    """
    with path.open("rb") as file:
        image = pyvips.Image.new_from_source(source_of(file), "")
    return states(image, _FIELD) and bytes(image.get(_FIELD)) == profile


def png_takes(profile: bytes, image: pyvips.Image) -> bool:
    """Tell whether the PNG encoder accepts a profile, by a trial: a faulty one stops it.

    Args:
        profile: the ICC profile.
        image: an image of the same bands and format as the one to write.
    """
    try:
        pixel = pyvips.Image.black(1, 1, bands=image.bands).cast(image.format)
        pixel = pixel.copy(interpretation=image.interpretation)
        pixel.set_type(pyvips.GValue.blob_type, _FIELD, profile)
        pixel.pngsave_buffer(keep="icc")
    except VIPS_ERRORS:
        return False
    return True


def to_display(image: pyvips.Image, profile: bytes | None) -> pyvips.Image:
    """Convert an image to 8-bit sRGB for a screen.

    Args:
        image: 8 or 16 bit; grey, RGB or CMYK, with or without alpha.
        profile: the ICC profile in its file. Without one, or if it does not fit, colours count as
            sRGB or plain CMYK.

    Returns:
        8-bit grey or sRGB, with the image's alpha.
    """
    alpha = image[image.bands - 1] if image.hasalpha() else None
    colour = image if alpha is None else image.extract_band(0, n=image.bands - 1)
    if colour.interpretation == "cmyk":
        colour = _of_cmyk(colour, profile)
    elif profile is not None:
        colour = to_srgb(colour, profile)
    parts = [_in_8_bit(part) for part in (colour, alpha) if part is not None]
    joined = parts[0] if len(parts) == 1 else parts[0].bandjoin(parts[1])
    return joined.copy(interpretation="srgb" if joined.bands >= 3 else "b-w")


def _of_cmyk(image: pyvips.Image, profile: bytes | None) -> pyvips.Image:
    if profile is not None:
        return to_srgb(image, profile)
    return image.icc_transform("srgb", input_profile="cmyk")


def _in_8_bit(image: pyvips.Image) -> pyvips.Image:
    return image if image.format == "uchar" else ((image + 128) / 257).floor().cast("uchar")
