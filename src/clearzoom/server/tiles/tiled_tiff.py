"""A tiled TIFF is read in place, by region."""

from pathlib import Path

import pyvips

from clearzoom.errors import UnreadablePictureError
from clearzoom.io.libvips_files import states
from clearzoom.io.loading import number_of, open_file, open_image, plain_image
from clearzoom.io.parts import Parts
from clearzoom.io.source import Source

_SMALLEST_PX = 2048
"""What is smaller is read whole, to be halved."""


def is_pyramid_in_tiles(parts: Parts, path: Path) -> bool:
    """Return whether a file that lies elsewhere can be read by region without a copy of it.

    Args:
        parts: any file.
        path: names it in errors.

    Raises:
        InputError: it is a TIFF that is not read, or its parts cannot be read.
    """
    with open_file(path, parts=parts) as file:
        main = file.main_page
    if main.halves == 1 or main.corrections:
        return False
    try:
        halves = [open_image(path, directory=at, parts=parts)[0] for at in range(main.halves)]
    except UnreadablePictureError:
        return False  # as the copy will say
    return max(halves[-1].width, halves[-1].height) <= _SMALLEST_PX and all(
        states(half, "tile-width") and number_of(half, "orientation", 1) == 1 for half in halves
    )


def readable_by_region(source: Source, parts: Parts | None = None) -> list[pyvips.Image]:
    """List a tiled TIFF itself and, where it is a pyramid, its own halves; else nothing.

    Args:
        source: the header of a picture, or of one page of several.
        parts: the content of a file that is not at the source's path.
    """
    if source.kind != "TIFF":
        return []
    image, _ = open_image(source.path, source.page, parts=parts)
    if not states(image, "tile-width"):
        return []
    rotated = number_of(image, "orientation", 1) != 1
    with open_file(source.path, source.page, parts) as file:
        found = 1 if rotated else file.main_page.halves
    smaller = (open_image(source.path, directory=at, parts=parts)[0] for at in range(1, found))
    halves = [image.autorot(), *smaller]
    return [plain_image(half, source.path, keep_cmyk=source.cmyk)[0] for half in halves]
