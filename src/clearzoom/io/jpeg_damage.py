"""Damage that a decoder steps over: the picture is made, but parts of it may be wrong."""

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
_ROWS_AT_ONCE = 8  # libvips reads so many, and asks libjpeg for warnings only before the next
_HIGHEST_PX = 65_500  # of libjpeg


def jpeg_damage_note(path: Path, kind: str) -> str | None:
    """Say so where libjpeg warns of damage and goes on; decoders of other formats refuse it.

    The data is read through once; 24 million px take some 0.4 s, a progressive JPEG's 1 s.

    Args:
        path: of a picture file.
        kind: of the file, as ``open_image`` names it.

    Returns:
        A note, or None: it is sound, or so damaged that decoding it fails.
    """
    if kind != "JPEG" and not (kind == "TIFF" and is_jpeg_in_tiff(path)):
        return None
    scan = plain_scan(path) if kind == "JPEG" else None
    changes = main_page(path).nonsense if kind == "TIFF" else {}
    if _reads(path, "warning", changes, scan) or not _reads(path, "error", changes):
        return None
    return _NOTE


def _reads(
    path: Path, fail_on: str, changes: Mapping[int, bytes], scan: PlainScan | None = None
) -> bool:
    """Whether a picture is read without a fault.

    Where its rows come one after another, the last ones would not be judged, since none is asked
    for behind them. So it is given out as higher, and one of its missing rows is asked for.
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
