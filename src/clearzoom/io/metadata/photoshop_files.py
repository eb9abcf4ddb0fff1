"""Photoshop's resources of a JPEG, a TIFF and a PNG."""

from pathlib import Path

from clearzoom.io.metadata.jpeg_segments import APP13, segments
from clearzoom.io.metadata.photoshop import HEAD, IPTC, resources_in
from clearzoom.io.metadata.png_texts import raw_profiles
from clearzoom.io.metadata.tiff_blocks import block_of_tiff

TAG = 34377
PNG_NAME = "8bim"
"""As ImageMagick calls them in a PNG."""

_TIFF_STARTS = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")


def read_photoshop(path: Path) -> tuple[bytes | None, bytes | None, list[str]]:
    """Read the resources.

    Args:
        path: any picture; only JPEG, TIFF and PNG have such resources.

    Returns:
        The resources one after the other, without IPTC; IPTC's records among them; and a line for
        what could not be read.
    """
    with path.open("rb") as file:
        start = file.read(4)
    try:
        if start.startswith(_TIFF_STARTS):
            block = block_of_tiff(path, TAG, (b"8BIM",))
        elif start.startswith(b"\x89PNG"):
            blocks = raw_profiles(path, (PNG_NAME, "APP13", "iptc"))
            plain = (each.removeprefix(HEAD) for each in blocks)
            block = next((each for each in plain if each.startswith(b"8BIM")), None)
        else:
            app13 = (data for marker, data in segments(path) if marker == APP13)
            block = b"".join(data.removeprefix(HEAD) for data in app13 if data.startswith(HEAD))
        found = list(resources_in(block or b""))
    except ValueError as error:
        return None, None, [f"Photoshop's resources could not be read: {error}"]
    iptc = next((each.data for each in found if each.kind == IPTC), None)
    kept = b"".join(each.packed() for each in found if each.kind != IPTC)
    return kept or None, iptc, []
