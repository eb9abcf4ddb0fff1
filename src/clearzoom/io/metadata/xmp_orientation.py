"""A turn that XMP alone states: browsers and viewers do not apply it, and neither is it here."""

from dataclasses import replace

from clearzoom.io.metadata.blocks import Metadata
from clearzoom.io.metadata.exif import states_orientation
from clearzoom.io.metadata.xmp import TIFF
from clearzoom.io.metadata.xmp_packets import number_in, parsed, top_fields

_LIE = ("JPEG", "PNG", "WebP", "GIF")
"""Formats that do not say themselves how their picture lies."""


def check_xmp_orientation(metadata: Metadata, kind: str) -> tuple[Metadata, list[str]]:
    """See whether XMP turns a picture of which EXIF does not say how it lies.

    Args:
        metadata: of the picture.
        kind: of its file, as ``open_image`` names it.

    Returns:
        The metadata, with ``turned_by_xmp`` where that is so; and a note then.
    """
    if kind not in _LIE or metadata.xmp is None or states_orientation(metadata.exif):
        return metadata, []
    fields = top_fields(parsed(metadata.xmp), TIFF)
    said = {number_in(each) for each in fields if each.name == f"{{{TIFF}}}Orientation"}
    turns = [number for number in range(2, 9) if number in said]
    if not turns:
        return metadata, []
    note = (
        f"XMP alone says that the picture is turned (orientation {turns[0]}): it is left as it "
        "lies, as browsers show it"
    )
    return replace(metadata, turned_by_xmp=True), [note]
