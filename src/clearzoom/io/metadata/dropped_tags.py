"""The private tags of a TIFF that no other format has a place for: the notes name them."""

from contextlib import suppress
from typing import BinaryIO

from clearzoom.io.metadata.tiff_tags import MAP_TAGS, describes, read_tags

_FIRST_PRIVATE = 32768
# Copyright is a text. IPTC, Photoshop's resources, the ICC profile, EXIF and GPS are blocks that
# are kept. 42112, 42113 and 34737 are GeoTIFF's: texts, or named elsewhere. 52545 holds content
# credentials, which have a note of their own.
_NAMED_ELSEWHERE = (33432, 33723, 52545, 34377, 34675, 34665, 34853, 34737, 42112, 42113, *MAP_TAGS)
_OF_SAMPLES = (32995, 32996, 32997, 32998, 59932)
"""Old programs state transparency, the meaning of samples and padding in these tags."""
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


def unread_blocks(file: BinaryIO) -> list[str]:
    """Name the metadata in a file that Pillow cannot open, such as a big-endian BigTIFF.

    Args:
        file: any file.

    Returns:
        One line, or none for a TIFF without metadata.
    """
    names: list[str] = []

    def note(number: int, kind: int) -> bool:
        if number in _BLOCKS or describes(number, kind):
            names.append(_BLOCKS.get(number, "what its tags say in words"))
        return False

    try:
        list(read_tags(file, note))
    except ValueError:  # It is no TIFF, or its directory is cut off.
        return ["metadata could not be read"]
    return [f"metadata could not be read: {', '.join(dict.fromkeys(names))}"] if names else []


def dropped_tags(file: BinaryIO) -> list[str]:
    """Name the private data of other programs in a TIFF, which a result does not have.

    Args:
        file: any picture; only a TIFF has tags.

    Returns:
        One line, or none if nothing is dropped.
    """
    numbers: list[int] = []

    def note(number: int, kind: int) -> bool:
        known = number < _FIRST_PRIVATE or number in (*_NAMED_ELSEWHERE, *_OF_SAMPLES)
        if not known and not describes(number, kind):
            numbers.append(number)
        return False

    with suppress(ValueError):  # It is no TIFF, or its directory is cut off.
        list(read_tags(file, note))
    names = dict.fromkeys(_NAMES.get(number, f"tag {number}") for number in numbers)
    return [f"not kept of the TIFF: {', '.join(names)}"] if names else []
