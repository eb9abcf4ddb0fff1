"""Damage in JPEG data that the decoder only warns of: parts of the picture may be wrong."""

from collections.abc import Mapping
from pathlib import Path

import pyvips

from clearzoom.io.compression_error import is_jpeg_in_tiff
from clearzoom.io.jpeg import PlainScan, plain_scan
from clearzoom.io.libvips_errors import VIPS_ERRORS
from clearzoom.io.libvips_files import patched_source
from clearzoom.io.tiff_pages import main_page

_NOTE = (
    "its JPEG data is damaged in places, and was read as far as it goes: "
    "compare the result with the picture"
)
_ROWS_AT_ONCE = 8  # libvips reads this many rows, and checks libjpeg's warnings before the next.
_HIGHEST_PX = 65_500  # libjpeg's limit


def jpeg_damage_note(path: Path, kind: str) -> str | None:
    """Report damage that libjpeg only warns of; decoders of other formats refuse damaged files.

    All data are decoded once: 24 million px take about 0.4 s, in a progressive JPEG 1 s.

    Args:
        path: a picture file.
        kind: its format, as ``open_image`` names it.

    Returns:
        A note, or None if the file is sound, or so damaged that decoding fails.
    """
    if kind != "JPEG" and not (kind == "TIFF" and is_jpeg_in_tiff(path)):
        return None
    scan = plain_scan(path) if kind == "JPEG" else None
    changes: Mapping[int, bytes] = {}
    if kind == "TIFF":
        with path.open("rb") as file:
            changes = main_page(file, path).corrections
    if _reads(path, "warning", changes, scan) or not _reads(path, "error", changes):
        return None
    return _NOTE


def _reads(
    path: Path, fail_on: str, changes: Mapping[int, bytes], scan: PlainScan | None = None
) -> bool:
    """Tell whether a picture is decoded without a fault.

    The warnings of one group of rows are checked when the next group is read, so those of the last
    group would be missed. Therefore a baseline JPEG is decoded with a larger height in its header,
    and one more group is read.
    """
    try:
        with path.open("rb") as file:
            rows = 0
            if scan is not None and scan.height_px:
                end = -(-scan.height_px // scan.row_px) * scan.row_px
                if end + 2 * scan.row_px <= _HIGHEST_PX:
                    rows = end + _ROWS_AT_ONCE
                    changes = {scan.height_at: (end + 2 * scan.row_px).to_bytes(2)}
            source = patched_source(file, changes)
            image = pyvips.Image.new_from_source(source, "", fail_on=fail_on, access="sequential")
            image = image.crop(0, 0, image.width, rows) if rows else image
            image.avg()
    except (*VIPS_ERRORS, OSError):
        return False
    return True
