"""Turn and encode the pixels of an answer."""

import pyvips

from clearzoom.server.tiles.views import View

_JPEG_QUALITY, _WEBP_QUALITY = 90, 88
_WHITE, _MIDDLE = 255, 127


def encode_view(image: pyvips.Image, view: View) -> bytes:
    """Mirror, rotate and encode an image as a view states.

    Args:
        image: 8-bit sRGB or grey, with or without alpha, of the view's size.
        view: states rotation, quality and format; a JPEG has white where the image is transparent.
    """
    if view.mirrored:
        image = image.fliphor()
    if view.quarter_turns:
        image = image.rot(f"d{90 * view.quarter_turns}")
    if view.quality in ("gray", "bitonal"):
        image = image.colourspace("b-w")
    if view.quality == "bitonal":
        colour = image[0] > _MIDDLE
        image = colour.bandjoin(image[1]) if image.bands > 1 else colour
        image = image.copy(interpretation="b-w")
    if view.suffix == "jpg":
        if image.hasalpha():
            image = image.flatten(background=_WHITE)
        content = image.jpegsave_buffer(Q=_JPEG_QUALITY, keep="none")
    elif view.suffix == "png":
        content = image.pngsave_buffer(compression=2, keep="none")
    else:
        content = image.webpsave_buffer(Q=_WEBP_QUALITY, effort=2, keep="none")
    encoded: bytes = content
    return encoded
