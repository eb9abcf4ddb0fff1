"""EXIF's own directories, written anew for a TIFF."""

import warnings
from collections.abc import Callable

from PIL import Image, TiffImagePlugin

from clearzoom.io.metadata.tiff_tags import INTEROPERABILITY

DIRECTORIES = (0x8769, 0x8825)
"""Of the camera, and of the place."""

_NAMES = {0x8769: "the camera's part of EXIF", 0x8825: "the place in EXIF"}
_HEADS = {False: b"II*\0" + bytes(4), True: b"II+\0\x08" + bytes(11)}

Packing = Callable[[int], bytes]
"""Makes bytes for the place in the file where they will lie."""


def packed_directories(
    exif: bytes | None, *, big: bool
) -> tuple[list[tuple[int, Packing]], list[str]]:
    """Prepare the directories of an EXIF block.

    Args:
        exif: a TIFF structure, or None.
        big: whether they go into a BigTIFF.

    Returns:
        The tag and what packs each directory; and a line for each that is damaged.
    """
    found: list[tuple[int, Packing]] = []
    problems: list[str] = []
    blocks = Image.Exif()
    for tag in DIRECTORIES if exif else ():
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what can be read is kept
            try:
                blocks.load(b"Exif\0\0" + (exif or b""))
                directory = TiffImagePlugin.ImageFileDirectory_v2(ifh=_HEADS[big])
                for key, value in blocks.get_ifd(tag).items():
                    if key != INTEROPERABILITY:
                        directory[key] = value
                if len(directory):
                    directory.tobytes(8)
                    found.append((tag, _quietly(directory)))
            except Exception:  # damaged values raise anything
                problems.append(f"{_NAMES[tag]} is damaged; it was left out")
    return found, problems


def _quietly(directory: TiffImagePlugin.ImageFileDirectory_v2) -> Packing:
    def packed(at: int) -> bytes:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return bytes(directory.tobytes(at))

    return packed
