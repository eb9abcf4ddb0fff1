"""An orientation that only XMP states: it is not applied, as in browsers and viewers."""

from dataclasses import replace

from clearzoom.io.metadata.blocks import Metadata
from clearzoom.io.metadata.exif import states_orientation
from clearzoom.io.metadata.xmp import TIFF
from clearzoom.io.metadata.xmp_packets import number_in, parsed, top_fields

_WITHOUT_ORIENTATION = ("JPEG", "PNG", "WebP", "GIF")
"""Formats that state no orientation themselves."""


def check_xmp_orientation(metadata: Metadata, kind: str) -> tuple[Metadata, list[str]]:
    """Mark a picture whose orientation is stated by XMP, but neither by EXIF nor by its format.

    Args:
        metadata: the metadata of the picture.
        kind: its format, as ``open_image`` names it.

    Returns:
        The metadata, with ``turned_by_xmp`` set for such a picture, and a note for it.
    """
    has_own = kind not in _WITHOUT_ORIENTATION or states_orientation(metadata.exif)
    if has_own or metadata.xmp is None:
        return metadata, []
    fields = top_fields(parsed(metadata.xmp), TIFF)
    stated = {number_in(each) for each in fields if each.name == f"{{{TIFF}}}Orientation"}
    turns = [number for number in range(2, 9) if number in stated]
    if not turns:
        return metadata, []
    note = (
        f"XMP alone says that the picture is turned (orientation {turns[0]}): it is left as it "
        "lies, as browsers show it"
    )
    return replace(metadata, turned_by_xmp=True), [note]
