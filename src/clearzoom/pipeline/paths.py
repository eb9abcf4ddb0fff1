"""Check paths before use: a missing, forbidden or unsuitable one is one clear error."""

import errno
import os
import stat
from pathlib import Path

from clearzoom.errors import InputError, OutputError
from clearzoom.io.missing import missing_file

OWN = ".clearzoom-"
"""Names that begin so are neither pictures nor results: temporary files, scratch folders, bands."""


def is_folder(path: Path) -> bool:
    """Return whether an input path is a folder.

    Raises:
        MissingFileError: there is nothing at this path.
        InputError: the user has no right to look at it.
    """
    return stat.S_ISDIR(_input_stat(path).st_mode)


def is_visible_folder(path: Path) -> bool:
    """Return whether there is a folder, as far as the user has a right to look."""
    try:
        return path.is_dir()
    except OSError:
        return False


def check_input(path: Path) -> None:
    """Refuse an input that is no regular file: opening a named pipe would wait for ever.

    Raises:
        MissingFileError: there is nothing at this path.
        InputError: it is a folder, a pipe or a device, or the user has no right to look at it.
    """
    mode = _input_stat(path).st_mode
    if stat.S_ISDIR(mode):
        raise InputError(f"{path} is a folder; name a picture file")
    if not stat.S_ISREG(mode):
        raise InputError(f"{path} is a pipe or a device; save the picture as a file")


def output_stat(path: Path) -> os.stat_result | None:
    """Return the status of an output path, or None where nothing is there yet.

    Raises:
        OutputError: the user has no right to look at it, or no file can have this name.
    """
    try:
        return path.stat()
    except (FileNotFoundError, NotADirectoryError):
        _check_length(path)
        return None
    except OSError as error:
        raise _no_place(path, error) from error


def _check_length(path: Path) -> None:
    """Refuse a name that is too long, also in a folder that does not exist yet.

    Only an existing folder tells how long names on its disk may be, so each missing name of the
    path is looked up in the deepest folder that exists.
    """
    there = next((folder for folder in path.parents if folder.is_dir()), path.parent)
    for name in path.parts[len(there.parts) :]:
        try:
            (there / name).lstat()
        except OSError as error:
            if error.errno == errno.ENAMETOOLONG:
                raise _no_place(path, error) from error


def _no_place(path: Path, error: OSError) -> OutputError:
    if error.errno == errno.ENAMETOOLONG:
        return OutputError(
            f"cannot write {path}: a name in it is too long for this disk; choose a shorter one "
            "(of a folder: rename the picture)"
        )
    return OutputError(f"cannot write {path}: {error.strerror}")


def _input_stat(path: Path) -> os.stat_result:
    try:
        return path.stat()
    except (FileNotFoundError, NotADirectoryError) as error:
        raise missing_file(path) from error
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror}") from error
