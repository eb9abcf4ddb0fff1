"""Turn and encode the pixels of an answer."""

import threading
from contextlib import nullcontext

import pyvips

from clearzoom.server.tiles.rotation import rotated
from clearzoom.server.tiles.views import View

_JPEG_QUALITY, _WEBP_QUALITY, _AVIF_QUALITY = 90, 88, 80
_WHITE, _MIDDLE = 255, 127
_LARGE_PX = 2**20
_LARGE_AVIF = threading.Lock()
"""The encoder takes 32 bytes a px, so only one large AVIF is encoded at a time."""


def encode_view(image: pyvips.Image, view: View) -> bytes:
    """Mirror, rotate and encode an image as a view states.

    Args:
        image: 8-bit sRGB or grey, with or without alpha, of the view's size.
        view: states rotation, quality and format; a JPEG has white where the image is transparent.
    """
    if view.mirrored:
        image = image.fliphor()
    image = rotated(image, view.degrees)
    if view.suffix == "jpg" and image.hasalpha():
        image = image.flatten(background=_WHITE)
    if view.quality in ("gray", "bitonal"):
        image = image.colourspace("b-w")
    if view.quality == "bitonal":
        colour = image[0] > _MIDDLE
        image = colour.bandjoin(image[1]) if image.bands > 1 else colour
        image = image.copy(interpretation="b-w")
    return _encoded(image, view.suffix)


def _encoded(image: pyvips.Image, suffix: str) -> bytes:
    if suffix == "jpg":
        content = image.jpegsave_buffer(Q=_JPEG_QUALITY, keep="none")
    elif suffix == "png":
        content = image.pngsave_buffer(compression=2, keep="none")
    elif suffix == "webp":
        content = image.webpsave_buffer(Q=_WEBP_QUALITY, effort=2, keep="none")
    else:
        content = _avif(image)
    encoded: bytes = content
    return encoded


def _avif(image: pyvips.Image) -> bytes:
    """Encode with the lowest effort, which takes as long as WebP and is still smaller."""
    options = {"compression": "av1", "subsample_mode": "off", "bitdepth": 8, "effort": 0}
    turn = _LARGE_AVIF if image.width * image.height > _LARGE_PX else nullcontext()
    with turn:
        encoded: bytes = image.heifsave_buffer(Q=_AVIF_QUALITY, keep="none", **options)
    return encoded
