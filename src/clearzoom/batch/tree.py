"""The pictures of a folder, and where their results go."""

import os
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from clearzoom.batch.paths import is_folder, output_stat
from clearzoom.batch.report import NAME, read_report
from clearzoom.errors import InputError, MissingFileError
from clearzoom.io.formats import SUFFIXES

_READ_ONLY_SUFFIXES = (".heic", ".heif")
OWN = ".clearzoom-"
"""What begins so is neither picture nor result: temporary files, scratch folders, bands."""


@dataclass
class Tree:
    """``pictures`` in the order of work, and ``unreadable``: folders, with the reason."""

    pictures: list[Path] = field(default_factory=list)
    unreadable: dict[Path, str] = field(default_factory=dict)


def pictures_to_do(source: Path, output: Path, *, recursive: bool) -> Tree:
    """Find the pictures of a folder job, and refuse a job that would harm them.

    Args:
        source: is only looked at; links to folders are not followed.
        output: is not looked into, and no other folder with a report is: those are results.
        recursive: also the folders in source.

    Raises:
        MissingFileError: no such folder, or no picture in it.
        InputError: source cannot be read, or output is source or would replace pictures in it.
        OutputError: this user may not look into output.
    """
    tree = find_pictures(source, output, recursive=recursive)
    there = output_stat(output)
    if there is not None and os.path.realpath(output) == os.path.realpath(source):
        raise InputError(f"{output} is the input itself; name another folder")
    if output.suffix.lower() in SUFFIXES and not (there is not None and output.is_dir()):
        raise InputError(f"{source} is a folder, so name a folder for the results, not {output}")
    _check_no_input_is_replaced(tree.pictures, source, output)
    return tree


def find_pictures(source: Path, output: Path | None, *, recursive: bool) -> Tree:
    """Find the pictures of a folder.

    Args:
        source: as in ``pictures_to_do``.
        output: likewise, or None where it is elsewhere.
        recursive: likewise.

    Raises:
        MissingFileError: no such folder, or no picture in it.
        InputError: source cannot be read.
    """
    if not is_folder(source):
        raise MissingFileError(f"no folder {source}")
    found = Tree()
    results = None if output is None else os.path.realpath(output)

    def failed(error: OSError) -> None:
        found.unreadable[Path(error.filename)] = error.strerror or str(error)

    for folder, below, names in os.walk(source, onerror=failed):
        here = Path(folder)
        below[:] = sorted(
            name
            for name in below
            if recursive and not name.startswith(OWN) and not _holds_results(here / name, results)
        )
        found.pictures += [here / name for name in sorted(names) if is_picture(name)]
    if source in found.unreadable:
        raise InputError(f"cannot read {source}: {found.unreadable[source]}")
    if not found.pictures and not found.unreadable:
        raise MissingFileError(f"no picture ({', '.join(SUFFIXES)}) in {source}")
    return found


def _holds_results(folder: Path, results: str | None) -> bool:
    if os.path.realpath(folder) == results:
        return True
    try:
        return bool(read_report(folder / NAME))
    except OSError:
        return False


def target_of(picture: Path, source: Path, output: Path) -> Path:
    """Name the result of a picture of source: the same name, and .png where that is only read."""
    return output / result_name(picture.relative_to(source).as_posix())


def result_name(name: str) -> str:
    """Name the result of a picture, both relative to their folders."""
    return name if PurePosixPath(name).suffix.lower() in SUFFIXES else f"{name}.png"


def is_picture(name: str) -> bool:
    """Whether a file is taken for a picture, by the end of its name."""
    known = PurePosixPath(name).suffix.lower() in (*SUFFIXES, *_READ_ONLY_SUFFIXES)
    return known and not PurePosixPath(name).name.startswith(OWN)


def _check_no_input_is_replaced(pictures: list[Path], source: Path, output: Path) -> None:
    """Refuse a job whose results would go where its own pictures lie."""
    names = {os.path.realpath(path) for path in pictures}
    files = set()
    for path in pictures:
        try:
            found = path.stat()
        except OSError:  # is reported when its turn comes
            continue
        files.add((found.st_dev, found.st_ino))
    for path in pictures:
        target = target_of(path, source, output)
        there = output_stat(target)
        # A file system that tells no capital letters apart has other names for the same file.
        same = there is not None and there.st_ino and (there.st_dev, there.st_ino) in files
        if same or os.path.realpath(target) in names:
            raise InputError(
                f"the result of {path} would replace the picture {target}; name another folder"
            )
