"""The EXIF and GPS directories of an EXIF block, packed again for a TIFF."""

import warnings
from collections.abc import Callable

from PIL import Image, TiffImagePlugin

from clearzoom.io.metadata.tiff_tags import INTEROPERABILITY

DIRECTORIES = (0x8769, 0x8825)
"""The tags that point to the EXIF directory and to the GPS directory."""

_NAMES = {0x8769: "the camera's part of EXIF", 0x8825: "the place in EXIF"}
_HEADS = {False: b"II*\0" + bytes(4), True: b"II+\0\x08" + bytes(11)}

Packing = Callable[[int], bytes]
"""A function from the offset of a block in its file to its bytes: TIFF's offsets are absolute."""


def packed_directories(
    exif: bytes | None, *, big: bool
) -> tuple[list[tuple[int, Packing]], list[str]]:
    """Prepare the directories of an EXIF block.

    Args:
        exif: a TIFF structure, or None.
        big: whether they go into a BigTIFF.

    Returns:
        The tag of each directory and the function that packs it; and a line for each directory that
        is damaged.
    """
    directories: list[tuple[int, Packing]] = []
    problems: list[str] = []
    blocks = Image.Exif()
    for tag in DIRECTORIES if exif else ():
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Pillow warns of values that it skips.
            try:
                blocks.load(b"Exif\0\0" + (exif or b""))
                directory = TiffImagePlugin.ImageFileDirectory_v2(ifh=_HEADS[big])
                for key, value in blocks.get_ifd(tag).items():
                    if key != INTEROPERABILITY:
                        directory[key] = value
                if len(directory):
                    directory.tobytes(8)  # A value that cannot be packed raises here.
                    directories.append((tag, _without_warnings(directory)))
            except Exception:  # Pillow raises any exception for damaged values.
                problems.append(f"{_NAMES[tag]} is damaged; it was left out")
    return directories, problems


def _without_warnings(directory: TiffImagePlugin.ImageFileDirectory_v2) -> Packing:
    def packed(at: int) -> bytes:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return bytes(directory.tobytes(at))

    return packed
