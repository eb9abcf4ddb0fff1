"""Tags of a TIFF that no other format and no reader of pictures has a use for: they are named."""

from contextlib import suppress
from pathlib import Path

from clearzoom.io.metadata.tiff_tags import MAP_TAGS, describes, read_tags

_FIRST_PRIVATE = 32768
# Copyright is a text; IPTC, Photoshop's resources, the ICC profile, EXIF and the place are blocks
# that are kept; 42112, 42113 and 34737 are GeoTIFF's, which are texts or named elsewhere;
# 52545 is named as credentials.
_ELSEWHERE = (33432, 33723, 52545, 34377, 34675, 34665, 34853, 34737, 42112, 42113, *MAP_TAGS)
_OF_SAMPLES = (32995, 32996, 32997, 32998, 59932)
"""How old programs say that there is transparency, what samples are, and empty room."""
_BLOCKS = {700: "XMP", 33723: "IPTC", 34665: "EXIF", 34853: "the place in EXIF"}
_NAMES = {
    33628: "MetaMorph's data",
    33629: "MetaMorph's data",
    34118: "the scanning microscope's data",
    34412: "Zeiss's data",
    37724: "Photoshop's layers",
    50838: "ImageJ's regions and notes",
    50839: "ImageJ's regions and notes",
    51123: "Micro-Manager's data",
}


def unread_blocks(path: Path) -> list[str]:
    """Say what a file holds of metadata that Pillow cannot open, as a big-endian BigTIFF.

    Args:
        path: of the file.

    Returns:
        A line; nothing of a TIFF that holds none.
    """
    there: list[str] = []

    def noted(number: int, kind: int) -> bool:
        if number in _BLOCKS or describes(number, kind):
            there.append(_BLOCKS.get(number, "what its tags say in words"))
        return False

    try:
        with path.open("rb") as file:
            list(read_tags(file, noted))
    except ValueError:  # no TIFF, or its directory is cut
        return ["metadata could not be read"]
    names = ", ".join(dict.fromkeys(there))
    return [f"metadata could not be read: {names}"] if names else []


def dropped_tags(path: Path) -> list[str]:
    """Name what programs keep for themselves in a TIFF, and what does not come along.

    Args:
        path: any picture; of another than TIFF nothing is read.

    Returns:
        A line, or nothing.
    """
    there: list[int] = []

    def noted(number: int, kind: int) -> bool:
        known = number < _FIRST_PRIVATE or number in (*_ELSEWHERE, *_OF_SAMPLES)
        if not known and not describes(number, kind):
            there.append(number)
        return False

    with path.open("rb") as file, suppress(ValueError):  # no TIFF, or its directory is cut
        list(read_tags(file, noted))
    names = dict.fromkeys(_NAMES.get(number, f"tag {number}") for number in there)
    return [f"not kept of the TIFF: {', '.join(names)}"] if names else []
