"""What the headers of served files state; it is remembered until a file changes."""

from functools import lru_cache
from pathlib import Path

from clearzoom.errors import MissingFileError
from clearzoom.io.reading import Source, open_picture
from clearzoom.io.tiff_pages import count_pictures
from clearzoom.server.file_states import FileState, state_of


def header_of(path: Path, max_pixels: int, page: int | None) -> Source:
    """Read the header of a picture.

    Args:
        path: the file.
        max_pixels: larger pictures are refused.
        page: which picture of a TIFF with several is meant, from 1.

    Raises:
        InputError: and its kinds, as ``open_picture`` raises them.
    """
    return _header(path, _state(path), max_pixels, page)


def count_pages(path: Path) -> int:
    """Count the pictures in a file; only a TIFF can have several.

    Raises:
        MissingFileError: there is no such file.
    """
    return _pages(path, _state(path))


def missing() -> MissingFileError:
    """Make the error that says of a picture that there is none, whatever the reason."""
    return MissingFileError("there is no such picture; see /api/pictures")


def _state(path: Path) -> FileState:
    try:
        return state_of(path)
    except OSError:
        raise missing() from None


@lru_cache(maxsize=16_384)
def _header(path: Path, state: FileState, max_pixels: int, page: int | None) -> Source:
    return open_picture(path, max_pixels=max_pixels, page=page)


@lru_cache(maxsize=16_384)
def _pages(path: Path, state: FileState) -> int:
    try:
        with path.open("rb") as file:
            return count_pictures(file)
    except OSError:  # opening it raises the error that says why
        return 1
