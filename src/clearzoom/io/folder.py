"""The pictures in a folder, and a hash that identifies a data set."""

import hashlib
from pathlib import Path

from clearzoom.errors import MissingFileError
from clearzoom.io.names import is_picture_file


def picture_files(folder: Path) -> list[Path]:
    """List the pictures directly in a folder, by name.

    Args:
        folder: the folder; its subfolders are not searched.

    Raises:
        MissingFileError: there is no such folder, or no picture in it.
    """
    if not folder.is_dir():
        raise MissingFileError(f"no folder {folder}")
    files = sorted(path for path in folder.iterdir() if path.is_file() and is_picture_file(path))
    if not files:
        below = any(path.is_dir() for path in folder.iterdir())
        hint = "; the folders in it are not searched: name one of them" if below else ""
        raise MissingFileError(f"no picture that can be read in {folder}{hint}")
    return files


def files_sha256(files: list[Path]) -> str:
    """Hash the names and contents of files in the order of the list.

    Args:
        files: the files; one at a time is read whole.
    """
    total = hashlib.sha256()
    for path in files:
        line = f"{path.name}\0{hashlib.sha256(path.read_bytes()).hexdigest()}\n"
        total.update(line.encode(errors="surrogateescape"))
    return total.hexdigest()
