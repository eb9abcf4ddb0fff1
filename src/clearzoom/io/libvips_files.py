"""Hand files to libvips by descriptor, never by name.

A name is bytes that need not be UTF-8, and libvips would take [brackets] in it for options.
"""

import mmap
from collections.abc import Mapping
from pathlib import Path
from typing import Any, BinaryIO

import pyvips


def source_of(file: BinaryIO) -> pyvips.Source:
    """Make a source of an open file; the file may be closed afterwards.

    Args:
        file: open for reading; is read from its beginning.
    """
    file.seek(0)
    return pyvips.Source.new_from_descriptor(file.fileno())


def patched_source(file: BinaryIO, changes: Mapping[int, bytes]) -> pyvips.Source:
    """Make a source of an open file as if some of its bytes were others; the file stays as it is.

    Args:
        file: open for reading; may be closed afterwards.
        changes: the bytes, by the place of the first.
    """
    if not changes:
        return source_of(file)
    data = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_COPY)
    for at, other in changes.items():
        end = min(at + len(other), len(data))
        data[at:end] = other[: end - at]
    return pyvips.Source.new_from_memory(data)


def states(image: pyvips.Image, field: str) -> bool:
    """Say whether an image has a field; a list of all names would have to be UTF-8.

    Args:
        image: any.
        field: libvips' name of it.
    """
    return bool(image.get_typeof(field))


def save(image: pyvips.Image, path: Path, **options: Any) -> None:
    """Encode an image into a file, in place of what it holds.

    Args:
        image: what is written.
        path: its suffix chooses the format.
        options: of libvips' saver.

    Raises:
        OSError: the file cannot be opened.
        pyvips.Error: libvips cannot write it.
    """
    with path.open("w+b") as file:
        target = pyvips.Target.new_to_descriptor(file.fileno())
        image.write_to_target(target, path.suffix.lower(), **options)
