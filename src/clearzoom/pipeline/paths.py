"""Look at paths before use: what is not there, not allowed or no file is one clear error."""

import errno
import os
import stat
from pathlib import Path

from clearzoom.errors import InputError, MissingFileError, OutputError

OWN = ".clearzoom-"
"""What begins so is neither picture nor result: temporary files, scratch folders, bands."""


def is_folder(path: Path) -> bool:
    """Whether a path that was given is a folder.

    Raises:
        MissingFileError: there is nothing.
        InputError: this user may not look.
    """
    return stat.S_ISDIR(_input_stat(path).st_mode)


def check_input(path: Path) -> None:
    """Refuse what is no file: opening a named pipe would wait for ever.

    Raises:
        MissingFileError: there is nothing.
        InputError: a folder, a pipe or a device, or this user may not look.
    """
    mode = _input_stat(path).st_mode
    if stat.S_ISDIR(mode):
        raise InputError(f"{path} is a folder; name a picture file")
    if not stat.S_ISREG(mode):
        raise InputError(f"{path} is a pipe or a device; save the picture as a file")


def output_stat(path: Path) -> os.stat_result | None:
    """Look at what shall be written: None where nothing is yet.

    Raises:
        OutputError: this user may not look, or it can be no name of a file.
    """
    try:
        return path.stat()
    except (FileNotFoundError, NotADirectoryError):
        _check_length(path)
        return None
    except OSError as error:
        raise _no_place(path, error) from error


def _check_length(path: Path) -> None:
    """Refuse a name that is too long, also in a folder that is not there yet.

    Only a folder that is there says how long names on its disk may be: each name of the path that
    is still to be made is looked for in it.
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


def is_there(path: Path) -> bool:
    """Whether there is something that this user may look at."""
    try:
        path.stat()
    except (OSError, ValueError):
        return False
    return True


def _input_stat(path: Path) -> os.stat_result:
    try:
        return path.stat()
    except (FileNotFoundError, NotADirectoryError) as error:
        raise MissingFileError(f"no file {path}; check the name") from error
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror}") from error
