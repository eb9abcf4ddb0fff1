"""Content credentials (C2PA): a signed statement about the bytes of one file.

The statement does not hold for an enlarged picture. The result therefore has none, and its XMP does
not refer to one.

References:
    C2PA specification 2.1, A.3: where JPEG, PNG, WebP, TIFF, GIF, AVIF and HEIC store the
    statement.
"""

from contextlib import suppress
from typing import BinaryIO

from clearzoom.io.animation.webp import riff_kinds
from clearzoom.io.heif_boxes import top_boxes
from clearzoom.io.metadata.gif_texts import application_names
from clearzoom.io.metadata.jpeg_segments import APP11
from clearzoom.io.metadata.tiff_tags import read_tags
from clearzoom.io.picture_file import PictureFile

CREDENTIALS = (
    "the content credentials (C2PA) are not kept: they are a signed statement about the original, "
    "which does not hold for the result"
)

_TAG = 52545
_BOX = bytes.fromhex("d8fec3d61b0e483c92975828877ec481")
_IN_GIF = b"C2PA_GIF"
_IN_XMP = ("jumbf", "c2pa", "cai-manifests")
"""References with one of these words lead to a statement; other provenance in XMP stays."""


def holds_credentials(file: PictureFile) -> bool:
    """Tell whether a picture file holds content credentials.

    Args:
        file: any picture.
    """
    start = file.start
    if start[:4] == b"RIFF":
        return b"C2PA" in riff_kinds(file.file)
    if start[4:8] == b"ftyp":
        return any(content.startswith(_BOX) for content in top_boxes(file.file, b"uuid"))
    if start[:2] in (b"II", b"MM"):
        return _TAG in _tag_numbers(file.file)
    if any(name.startswith(_IN_GIF) for name in application_names(file.gif_extensions)):
        return True
    return b"caBX" in file.png_chunks.kinds or any(
        marker == APP11 and data[:2] == b"JP" and b"c2pa" in data
        for marker, data in file.jpeg_segments
    )


def names_credentials(text: str) -> bool:
    """Tell whether a reference in XMP leads to content credentials.

    Args:
        text: the value of ``dcterms:provenance``.
    """
    return any(word in text.lower() for word in _IN_XMP)


def _tag_numbers(file: BinaryIO) -> list[int]:
    numbers: list[int] = []

    def note(number: int, kind: int) -> bool:
        numbers.append(number)
        return False

    with suppress(ValueError):  # It is no TIFF, or its directory is cut off.
        list(read_tags(file, note))
    return numbers
