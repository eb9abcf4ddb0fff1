"""The size of a picture in an object store, read from a few ranges of its file."""

from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO, TypeVar

import pyvips

from clearzoom.io.libvips_errors import VIPS_ERRORS
from clearzoom.io.loading import number_of
from clearzoom.io.metadata.blocks import Metadata
from clearzoom.io.picture_file import check_pixels
from clearzoom.io.source import Source
from clearzoom.io.tiff_pages import main_page

_BY_RANGES = {b"\xff\xd8\xff": "JPEG", b"\x89PNG": "PNG", b"II*\0": "TIFF", b"MM\0*": "TIFF"}
_BY_RANGES |= {b"II+\0": "TIFF", b"MM\0+": "TIFF"}
_SIDEWAYS = range(5, 9)
T = TypeVar("T")


def header_by_ranges(file: BinaryIO, path: Path, max_pixels: int) -> Source | None:
    """Read kind and size of a picture from the parts of its file that state them.

    Args:
        file: gives parts of the file.
        path: names the picture in errors and in the result.
        max_pixels: larger pictures are refused.

    Returns:
        What the header states, without metadata; None where only the whole file tells.

    Raises:
        UnreadablePictureError: it is a TIFF that is not read.
        SizeError: it has more than max_pixels.
    """
    start = file.read(4)
    kind = next((kind for sign, kind in _BY_RANGES.items() if start.startswith(sign)), None)
    if kind is None:
        return None
    main = main_page(file, path) if kind == "TIFF" else None
    if main is not None and (main.rivals > 1 or main.corrections):
        return None
    source = pyvips.SourceCustom()
    source.on_read(lambda size: _or(b"", file.read, size))
    source.on_seek(lambda offset, whence: _or(-1, file.seek, offset, whence))
    try:
        image = pyvips.Image.new_from_source(source, main.options if main else "")
    except VIPS_ERRORS:
        return None
    orientation = number_of(image, "orientation", 1)
    if main is not None and main.orientation is not None:
        orientation = main.orientation
    width, height = image.width, image.height
    check_pixels(path, width, height, max_pixels)
    if orientation in _SIDEWAYS:
        width, height = height, width
    cmyk, deep = image.interpretation == "cmyk", image.format == "ushort"
    return Source(path, kind, width, height, image.bands, cmyk, deep, 1, None, None, Metadata(), ())


def _or(otherwise: T, read: Callable[..., T], *arguments: int) -> T:
    try:
        return read(*arguments)
    except Exception:  # none can pass through libvips; the whole copy then fails in the same way
        return otherwise
