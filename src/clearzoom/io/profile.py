"""ICC profiles, as far as enlarging must understand them."""

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
    """Convert an image to sRGB, for a format that has no place for its profile.

    Args:
        image: 8 or 16 bit, of grey, RGB or CMYK.
        profile: ICC; where it does not fit, colours are taken for sRGB or plain CMYK.
    """
    image = image.copy()
    image.set_type(pyvips.GValue.blob_type, _FIELD, profile)
    try:
        return image.icc_transform("srgb", embedded=True)
    except VIPS_ERRORS:  # a damaged one; others libvips leaves aside by itself
        image.remove(_FIELD)
        return image.icc_transform("srgb", embedded=True)


def holds_profile(path: Path, profile: bytes) -> bool:
    """Say whether a file came to hold a profile; encoders leave out one that does not fit.

    Args:
        path: a picture file.
        profile: ICC.
    """
    with path.open("rb") as file:
        image = pyvips.Image.new_from_source(source_of(file), "")
    return states(image, _FIELD) and bytes(image.get(_FIELD)) == profile


def png_takes(profile: bytes, image: pyvips.Image) -> bool:
    """Say whether the encoder of PNG takes a profile; one with faults would end the writing.

    Args:
        profile: ICC.
        image: of the kind that is to be written.
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
    """Convert an image for a screen.

    Args:
        image: 8 or 16 bit; grey, RGB or CMYK, with or without alpha.
        profile: ICC, embedded in its file. Without one, or with one that does not fit, colours are
            taken for sRGB or plain CMYK.

    Returns:
        8 bit; grey or sRGB, with alpha where image has it.
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
