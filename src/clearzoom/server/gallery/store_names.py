"""How files of an object store are named and dated on a disk, and which are needed whole."""

import hashlib
import tomllib
import zlib
from pathlib import Path, PurePosixPath

from clearzoom.batch.object_state import ObjectState
from clearzoom.io.names import is_file_name, is_hidden

_LONGEST_NAME_BYTES = 200


def is_shown_name(name: str) -> bool:
    """Return whether an object's name can be that of a file; hidden ones are marks of owners."""
    parts = name.split("/")
    return (
        is_file_name(name)
        and not any(is_hidden(part) for part in parts[:-1])
        and all(len(part.encode()) <= _LONGEST_NAME_BYTES for part in parts)
    )


def changed_ns(state: ObjectState, *, whole: bool = False) -> int:
    """Return a time with the seconds of the change, and a fraction that tells versions apart.

    It also tells a copy from a stand-in. The fraction has whole µs, which most file systems keep.
    """
    fraction_us = zlib.crc32(f"{state.version} {whole}".encode()) % 1_000_000
    return int(state.changed_s) * 1_000_000_000 + fraction_us * 1000


def digest_of(text: str) -> str:
    """Return a name of 32 hex digits for a text."""
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def watermarks_in(folder: Path, name: str) -> list[str]:
    """List the images that a ``clearzoom.toml`` names; its faults are found where it is used.

    Args:
        folder: the served folder.
        name: the file's name, relative to it.
    """
    try:
        stated = tomllib.loads((folder / name).read_text("utf-8"))
    except (OSError, ValueError):
        return []
    pictures = stated.get("pictures")
    parts = [stated, *(pictures.values() if isinstance(pictures, dict) else ())]
    marks = [part.get("watermark") for part in parts if isinstance(part, dict)]
    images = [mark.get("image") for mark in marks if isinstance(mark, dict)]
    beside = PurePosixPath(name).parent
    return [(beside / image).as_posix() for image in images if isinstance(image, str)]
