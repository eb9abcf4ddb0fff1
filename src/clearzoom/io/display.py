"""Px for a screen: 8 bit, sRGB."""

import pyvips

from clearzoom.io.profile import in_srgb


def displayed(image: pyvips.Image, profile: bytes | None) -> pyvips.Image:
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
        colour = in_srgb(colour, profile)
    parts = [_in_8_bit(part) for part in (colour, alpha) if part is not None]
    joined = parts[0] if len(parts) == 1 else parts[0].bandjoin(parts[1])
    return joined.copy(interpretation="srgb" if joined.bands >= 3 else "b-w")


def _of_cmyk(image: pyvips.Image, profile: bytes | None) -> pyvips.Image:
    if profile is not None:
        return in_srgb(image, profile)
    return image.icc_transform("srgb", input_profile="cmyk")


def _in_8_bit(image: pyvips.Image) -> pyvips.Image:
    return image if image.format == "uchar" else ((image + 128) / 257).floor().cast("uchar")
