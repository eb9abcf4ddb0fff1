"""Damage that a decoder steps over: the picture is made, but parts of it may be wrong."""

from pathlib import Path

import pyvips

from clearzoom.io.coding import is_jpeg_in_tiff
from clearzoom.io.descriptors import source_of
from clearzoom.io.failures import VIPS_ERRORS

_NOTE = (
    "its JPEG data is damaged in places, and was read as far as it goes: "
    "compare the result with the picture"
)


def stepped_over(path: Path, kind: str) -> str | None:
    """Say so where libjpeg warns of damage and goes on; decoders of other formats refuse it.

    The data is read through, of a usual JPEG at an eighth of its size, which is fast.

    Args:
        path: of a picture file.
        kind: of the file, as ``open_image`` names it.

    Returns:
        A note, or None: it is sound, or so damaged that decoding it fails.
    """
    if kind == "JPEG":
        options = "shrink=8"
    elif kind == "TIFF" and is_jpeg_in_tiff(path):
        options = ""
    else:
        return None
    if _reads(path, options, "warning") or not _reads(path, options, "error"):
        return None
    return _NOTE


def _reads(path: Path, options: str, fail_on: str) -> bool:
    try:
        with path.open("rb") as file:
            source = source_of(file)
        image = pyvips.Image.new_from_source(source, options, fail_on=fail_on, access="sequential")
        image.avg()
    except (*VIPS_ERRORS, OSError):
        return False
    return True
