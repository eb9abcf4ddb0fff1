"""Content credentials (C2PA): a signed statement about a file's own bytes.

It does not hold for an enlarged picture, so it does not come along, and XMP does not point to it
any more.

References:
    C2PA specification 2.1, A.3: where the statement lies in JPEG, PNG, WebP, TIFF, GIF, AVIF and
    HEIC.
"""

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

from clearzoom.io.animation.webp import riff_kinds
from clearzoom.io.heif_boxes import top_boxes
from clearzoom.io.metadata.gif_texts import application_names
from clearzoom.io.metadata.jpeg_segments import segments
from clearzoom.io.metadata.tiff_tags import read_tags
from clearzoom.io.png import kinds_of_chunks

CREDENTIALS = (
    "the content credentials (C2PA) are not kept: they are a signed statement about the original, "
    "which does not hold for the result"
)

_APP11 = 0xEB
_TAG = 52545
_BOX = bytes.fromhex("d8fec3d61b0e483c92975828877ec481")
_IN_GIF = b"C2PA_GIF"
_IN_XMP = ("jumbf", "c2pa", "cai-manifests")
"""What names a statement of this kind: other words on where a picture comes from stay."""


def holds_credentials(path: Path) -> bool:
    """Say whether a picture file holds such a statement.

    Args:
        path: any picture.
    """
    with path.open("rb") as file:
        start = file.read(16)
        if start.startswith(b"\x89PNG"):
            return b"caBX" in kinds_of_chunks(path)
        if start[:4] == b"RIFF":
            return b"C2PA" in riff_kinds(file)
        if start[:3] == b"GIF":
            return any(name.startswith(_IN_GIF) for name in application_names(path))
        if start[4:8] == b"ftyp":
            return any(content.startswith(_BOX) for content in top_boxes(path, b"uuid"))
        if start[:2] in (b"II", b"MM"):
            return _TAG in _numbers(file)
    return any(
        marker == _APP11 and data[:2] == b"JP" and b"c2pa" in data
        for marker, data in segments(path)
    )


def names_credentials(text: str) -> bool:
    """Say whether what XMP says of a picture's provenance leads to such a statement.

    Args:
        text: of ``dcterms:provenance``.
    """
    return any(word in text.lower() for word in _IN_XMP)


def _numbers(file: BinaryIO) -> Iterator[int]:
    there: list[int] = []

    def noted(number: int, kind: int) -> bool:
        there.append(number)
        return False

    with suppress(ValueError):  # no TIFF, or its directory is cut
        list(read_tags(file, noted))
    yield from there
