"""Pass files to libvips by descriptor or by calls, never by name.

A name may have bytes that are not UTF-8, and libvips reads [brackets] in it as options.
"""

import mmap
from collections.abc import Mapping
from pathlib import Path
from typing import Any, BinaryIO

import pyvips

from clearzoom.io.parts import Parts


def source_of(file: BinaryIO | Parts) -> pyvips.Source:
    """Make a libvips source from an open file; the file may be closed afterwards.

    libvips duplicates the descriptor, and both share one position in the file. So nobody else may
    read from the file until libvips has finished.

    Args:
        file: is open for reading; libvips reads it from its beginning. Of parts it reads another
            one, with a position of its own, and takes whatever cannot be read for the end.
    """
    if isinstance(file, Parts):
        return _source_by_calls(file.again())
    file.seek(0)
    return pyvips.Source.new_from_descriptor(file.fileno())


def _source_by_calls(file: Parts) -> pyvips.Source:
    def read(size: int) -> bytes:
        try:
            return file.read(size)
        except Exception:  # none can pass through libvips
            return b""

    source = pyvips.SourceCustom()
    source.on_read(read)
    source.on_seek(file.seek)
    return source


def patched_source(file: BinaryIO, changes: Mapping[int, bytes]) -> pyvips.Source:
    """Make a libvips source with some bytes of a file replaced; the file itself does not change.

    Args:
        file: is open for reading; it may be closed afterwards.
        changes: the new bytes, by the offset of the first.
    """
    if not changes:
        return source_of(file)
    data = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_COPY)
    for at, other in changes.items():
        end = min(at + len(other), len(data))
        data[at:end] = other[: end - at]
    return pyvips.Source.new_from_memory(data)


def states(image: pyvips.Image, field: str) -> bool:
    """Tell whether an image has a field.

    ``pyvips.Image.get_fields`` fails if any name is not UTF-8.

    Args:
        image: any image.
        field: libvips' name of the field.
    """
    return bool(image.get_typeof(field))


def save(image: pyvips.Image, path: Path, **options: Any) -> None:
    """Encode an image into a file and replace its content.

    Args:
        image: the image.
        path: the file, whose suffix chooses the format.
        options: the options of libvips' saver.

    Raises:
        OSError: the file cannot be opened.
        pyvips.Error: libvips cannot write it.
    """
    with path.open("w+b") as file:
        target = pyvips.Target.new_to_descriptor(file.fileno())
        image.write_to_target(target, path.suffix.lower(), **options)
