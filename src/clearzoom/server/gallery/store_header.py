"""The sizes of pictures in an object store, each read from a few ranges of its file."""

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import pyvips

from clearzoom.errors import ClearzoomError
from clearzoom.io.libvips_errors import VIPS_ERRORS
from clearzoom.io.libvips_files import source_of
from clearzoom.io.loading import number_of
from clearzoom.io.metadata.blocks import Metadata
from clearzoom.io.names import is_picture_file
from clearzoom.io.parts import Parts, open_content
from clearzoom.io.picture_file import check_pixels
from clearzoom.io.source import Source
from clearzoom.io.tiff_pages import main_page
from clearzoom.server.error_answers import RefusedError

_BY_RANGES = {b"\xff\xd8\xff": "JPEG", b"\x89PNG": "PNG", b"II*\0": "TIFF", b"MM\0*": "TIFF"}
_BY_RANGES |= {b"II+\0": "TIFF", b"MM\0+": "TIFF"}
_SIDEWAYS = range(5, 9)
_READERS = 8


def header_by_ranges(file: Parts, path: Path, max_pixels: int) -> Source | None:
    """Read kind and size of a picture from the parts of its file that state them.

    Args:
        file: the file.
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
    main = main_page(open_content(path, file), path) if kind == "TIFF" else None
    if main is not None and (main.rivals > 1 or main.corrections):
        return None
    try:
        image = pyvips.Image.new_from_source(source_of(file), main.options if main else "")
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


def of_each_picture(folder: Path, read: Callable[[Path], object]) -> None:
    """Read something of each picture below a folder, several at a time; errors are ignored."""

    def read_one(path: Path) -> None:
        with suppress(ClearzoomError, RefusedError, OSError):
            read(path)

    files = [Path(root) / name for root, _, names in os.walk(folder) for name in names]
    with ThreadPoolExecutor(_READERS) as readers:
        list(readers.map(read_one, filter(is_picture_file, files)))
