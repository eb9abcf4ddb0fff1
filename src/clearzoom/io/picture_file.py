"""A picture file that is opened once and whose container is parsed at most once."""

from functools import cached_property
from pathlib import Path
from typing import BinaryIO, Self

from clearzoom.errors import SizeError
from clearzoom.io.heif_boxes import item_properties, meta_box
from clearzoom.io.metadata.gif_texts import Extension, gif_extensions
from clearzoom.io.metadata.jpeg_segments import jpeg_segments
from clearzoom.io.metadata.png_blocks import png_blocks
from clearzoom.io.metadata.png_chunks import PngChunks
from clearzoom.io.parts import Parts, open_content
from clearzoom.io.tiff_pages import MainPage, main_page

_START_BYTES = 64


class PictureFile:
    """A picture file that is open for reading, with the parts of its container.

    Each part is parsed when it is first needed and is empty for files of other formats. ``start``
    holds the first 64 bytes.

    Args:
        path: the file.
        page: which picture of a TIFF with several is meant, from 1; None where it has one.
        parts: the file's content where it is not at the path, which is then only named in errors.

    Raises:
        OSError: the file cannot be opened.
    """

    def __init__(self, path: Path, page: int | None = None, parts: Parts | None = None) -> None:
        self.path, self.page, self._parts = path, page, parts
        self.file = self.again()
        self.start = self.file.read(_START_BYTES)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.file.close()

    def again(self) -> BinaryIO:
        """Open the file once more, as libvips keeps the first one."""
        return open_content(self.path, self._parts)

    @cached_property
    def png_chunks(self) -> PngChunks:
        """Return the chunks of a PNG."""
        return PngChunks(self.file)

    @cached_property
    def png_blocks(self) -> tuple[dict[str, bytes], list[str]]:
        """Return EXIF, XMP and IPTC of a PNG, and a line for each that is damaged."""
        return png_blocks(self.png_chunks)

    @cached_property
    def jpeg_segments(self) -> list[tuple[int, bytes]]:
        """Return marker and content of the segments before a JPEG's px."""
        return list(jpeg_segments(self.file))

    @cached_property
    def gif_extensions(self) -> list[Extension]:
        """Return label and blocks of a GIF's extensions."""
        return list(gif_extensions(self.file))

    @cached_property
    def main_page(self) -> MainPage:
        """Return which page of a TIFF is its picture.

        Raises:
            MissingFileError: there is no such page.
            UnreadablePictureError: libvips would misread the picture.
        """
        return main_page(self.file, self.path, self.page)

    @cached_property
    def heif_meta(self) -> bytes:
        """Return the content of the meta box of a HEIC or AVIF."""
        return meta_box(self.file)

    @cached_property
    def heif_properties(self) -> list[tuple[bytes, bytes]]:
        """Return kind and content of the properties of the primary picture of a HEIC or AVIF."""
        return item_properties(self.heif_meta)


def check_pixels(path: Path, width: int, height: int, max_pixels: int | None) -> None:
    """Refuse a picture with more px than the limit.

    Args:
        path: named in the error.
        width: the picture's, in px.
        height: the picture's, in px.
        max_pixels: the limit, or None.

    Raises:
        SizeError: the picture has more than max_pixels.
    """
    if max_pixels is not None and width * height > max_pixels:
        raise SizeError(
            f"{path} has {width}x{height} px, more than {max_pixels:,}; "
            "raise `max_pixels` to allow it",
            setting="max_pixels",
        )
