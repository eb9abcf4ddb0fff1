"""Photoshop's image resources, read from a JPEG, a TIFF or a PNG."""

from clearzoom.io.metadata.jpeg_segments import APP13
from clearzoom.io.metadata.photoshop import HEAD, IPTC, resources_in
from clearzoom.io.metadata.png_texts import raw_profiles
from clearzoom.io.metadata.tiff_blocks import block_of_tiff
from clearzoom.io.picture_file import PictureFile

TAG = 34377
PNG_NAME = "8bim"
"""The name that ImageMagick gives them in a PNG."""

_TIFF_STARTS = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")


def read_photoshop(file: PictureFile) -> tuple[bytes | None, bytes | None, list[str]]:
    """Read the resources.

    Args:
        file: any picture; only JPEG, TIFF and PNG have such resources.

    Returns:
        The resources one after the other, without IPTC; the IPTC records among them; and a line
        for what could not be read.
    """
    try:
        if file.start.startswith(_TIFF_STARTS):
            block = block_of_tiff(file.file, TAG, (b"8BIM",))
        elif file.png_chunks.kinds:
            blocks = raw_profiles(file.png_chunks, (PNG_NAME, "APP13", "iptc"))
            plain = (each.removeprefix(HEAD) for each in blocks)
            block = next((each for each in plain if each.startswith(b"8BIM")), None)
        else:
            app13 = (data for marker, data in file.jpeg_segments if marker == APP13)
            # A block of more than 64 KB is continued in the next segment, with the same head.
            block = b"".join(data.removeprefix(HEAD) for data in app13 if data.startswith(HEAD))
        resources = list(resources_in(block or b""))
    except ValueError as error:
        return None, None, [f"Photoshop's resources could not be read: {error}"]
    iptc = next((each.data for each in resources if each.kind == IPTC), None)
    others = b"".join(each.packed() for each in resources if each.kind != IPTC)
    return others or None, iptc, []
