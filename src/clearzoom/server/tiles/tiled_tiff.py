"""A tiled TIFF is read in place, by region."""

import pyvips

from clearzoom.io.libvips_files import states
from clearzoom.io.loading import number_of, open_image, plain_image
from clearzoom.io.source import Source
from clearzoom.io.tiff_pages import main_page


def readable_by_region(source: Source) -> list[pyvips.Image]:
    """List a tiled TIFF itself and, where it is a pyramid, its own halves; else nothing.

    Args:
        source: the header of a picture, or of one page of several.
    """
    if source.kind != "TIFF":
        return []
    image, _ = open_image(source.path, source.page)
    if not states(image, "tile-width"):
        return []
    rotated = number_of(image, "orientation", 1) != 1
    with source.path.open("rb") as file:
        found = 1 if rotated else main_page(file, source.path, source.page).halves
    smaller = (open_image(source.path, directory=at)[0] for at in range(1, found))
    halves = [image.autorot(), *smaller]
    return [plain_image(half, source.path, keep_cmyk=source.cmyk)[0] for half in halves]
