"""The pictures of a folder, what is left out of it, and where it must not be written."""

import os
import stat
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from clearzoom.batch.naming import ResultName, result_names
from clearzoom.batch.report import NAME, check_report, read_report
from clearzoom.errors import InputError, MissingFileError, OutputError
from clearzoom.io.formats import SUFFIXES, ResultFormat
from clearzoom.io.names import HIDDEN, is_hidden, is_picture_file, kind_left_out
from clearzoom.io.rights import may_write
from clearzoom.pipeline.paths import OWN, is_folder, output_stat

FOLDER, RESULTS, LINKED = "folder", "results folder", "linked folder"
_KINDS_NAMED = 6


@dataclass
class Listing:
    """What there is in a place; names are relative to it, with slashes.

    ``pictures``: in the order of work. ``unreadable``: folders, with the reason. ``left_out``: what
    is passed over, with its kind: a suffix, ``hidden``, ``folder`` and the like.
    """

    pictures: list[str] = field(default_factory=list)
    unreadable: dict[str, str] = field(default_factory=dict)
    left_out: dict[str, str] = field(default_factory=dict)


def said_left_out(kinds: Iterable[str]) -> str:
    """Count what was left out by its kind, the most frequent first; empty where nothing was.

    Example:
        >>> said_left_out([".txt", "folder", ".txt", "folder", ".psd"])
        '5 left out (2 .txt, 2 folders, 1 .psd)'
    """
    counts = Counter(kinds)
    if not counts:
        return ""
    ordered = sorted(counts.items(), key=lambda kind: -kind[1])
    words = [
        f"{count} {kind}{'s' if count > 1 and kind.endswith(FOLDER) else ''}"
        for kind, count in ordered[:_KINDS_NAMED]
    ]
    others = sum(count for _, count in ordered[_KINDS_NAMED:])
    words += [f"{others} others"] if others else []
    return f"{counts.total()} left out ({', '.join(words)})"


def pictures_to_do(
    source: Path, output: Path, *, recursive: bool, wanted: ResultFormat | None = None
) -> tuple[Listing, dict[str, ResultName]]:
    """Find the pictures of a folder job, and refuse a job that would harm them.

    Args:
        source: is only looked at; links to folders are not followed.
        output: is not looked into, and no other folder with a report is: those are results.
        recursive: also the folders in source.
        wanted: the format of all results, or None for each picture's own.

    Returns:
        What there is, and by picture its result's name.

    Raises:
        MissingFileError: no such folder, or no picture in it.
        InputError: source cannot be read, or output is source or would replace pictures in it.
        OutputError: this user may not look or write into output, or it cannot be a folder, or its
            report is none.
    """
    listing = find_pictures(source, output, recursive=recursive)
    there = output_stat(output)
    if there is not None and os.path.realpath(output) == os.path.realpath(source):
        raise InputError(f"{output} is the input itself; name another folder")
    is_there = there is not None and stat.S_ISDIR(there.st_mode)
    if output.suffix.lower() in SUFFIXES and not is_there:
        raise InputError(f"{source} is a folder, so name a folder for the results, not {output}")
    _check_can_be_folder(output)
    check_report(output / NAME)
    names = result_names(listing.pictures, wanted)
    _check_no_input_is_replaced(names, source, output)
    return listing, names


def find_pictures(source: Path, output: Path | None, *, recursive: bool) -> Listing:
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
    found = Listing()
    results = None if output is None else os.path.realpath(output)

    def failed(error: OSError) -> None:
        found.unreadable[_relative(Path(error.filename), source)] = error.strerror or str(error)

    for folder, below, names in os.walk(source, onerror=failed):
        here, entered = Path(folder), []
        for name in sorted(below):
            path = here / name
            if name.startswith(OWN) or os.path.realpath(path) == results:
                continue
            kind = _kind_of_folder(path, recursive=recursive)
            if kind is None:
                entered.append(name)
            else:
                found.left_out[_relative(path, source)] = kind
        below[:] = entered
        for name in sorted(names):
            if is_picture_file(here / name):
                found.pictures.append(_relative(here / name, source))
            elif not name.startswith(OWN):
                found.left_out[_relative(here / name, source)] = kind_left_out(name)
    if "." in found.unreadable:
        raise InputError(f"cannot read {source}: {found.unreadable['.']}")
    check_any(found, str(source))
    return found


def check_any(found: Listing, place: str) -> None:
    """Refuse a place without pictures.

    Raises:
        MissingFileError: there is neither a picture nor a folder that may have some.
    """
    if not found.pictures and not found.unreadable:
        others = said_left_out(found.left_out.values())
        hint = "; --recursive takes its folders" if FOLDER in found.left_out.values() else ""
        raise MissingFileError(
            f"no picture that can be read in {place}" + (f": {others}{hint}" if others else "")
        )


def _kind_of_folder(path: Path, *, recursive: bool) -> str | None:
    """Say why a folder is left out; None for one that is entered."""
    if is_hidden(path.name):
        return HIDDEN
    if path.is_symlink():
        return LINKED
    if _holds_results(path):
        return RESULTS
    return None if recursive else FOLDER


def _holds_results(folder: Path) -> bool:
    try:
        return bool(read_report(folder / NAME))
    except OSError:
        return False


def _relative(path: Path, folder: Path) -> str:
    return path.relative_to(folder).as_posix()


def _check_can_be_folder(output: Path) -> None:
    """Refuse at once what would fail when the folder is made."""
    for path in (output, *output.parents):
        there = output_stat(path)
        if there is not None:
            if not stat.S_ISDIR(there.st_mode):
                raise OutputError(f"cannot write to {output}: {path} is a file; name a folder")
            if not may_write(path):
                raise OutputError(
                    f"cannot write to {output}: Permission denied in {path}, or its disk is "
                    "read-only; name another folder"
                )
            return


def _check_no_input_is_replaced(names: dict[str, ResultName], source: Path, output: Path) -> None:
    """Refuse a job whose results would go where its own pictures lie."""
    pictures = {os.path.realpath(source / name) for name in names}
    files = set()
    for name in names:
        try:
            found = (source / name).stat()
        except OSError:  # is reported when its turn comes
            continue
        files.add((found.st_dev, found.st_ino))
    for name, result in names.items():
        target = output / result.output
        try:
            there = output_stat(target)
        except OutputError:  # is reported when its turn comes
            there = None
        # A file system that tells no capital letters apart has other names for the same file.
        same = there is not None and there.st_ino and (there.st_dev, there.st_ino) in files
        if same or os.path.realpath(target) in pictures:
            raise InputError(
                f"the result of {source / name} would replace the picture {target}; "
                "name another folder"
            )
