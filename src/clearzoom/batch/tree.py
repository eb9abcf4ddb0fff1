"""The pictures of a batch, the files that it leaves out, and the folders it refuses."""

import os
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from clearzoom.batch.named_files import NamedFiles
from clearzoom.batch.naming import ResultName, result_names
from clearzoom.batch.object_store import ObjectStore
from clearzoom.batch.report import NAME, read_report, rows_of
from clearzoom.batch.storage import LocalFolder, Storage
from clearzoom.errors import InputError, MissingFileError, OutputError
from clearzoom.io.formats import SUFFIXES, ResultFormat
from clearzoom.io.names import (
    HIDDEN,
    RAW_SUFFIXES,
    begins_as_picture,
    is_hidden,
    is_picture_file,
    is_picture_name,
    kind_left_out,
    may_be_picture,
)
from clearzoom.pipeline.paths import OWN, is_folder, is_visible_folder

FOLDER, RESULTS, LINKED = "folder", "results folder", "linked folder"
_KINDS_NAMED = 6


@dataclass
class Listing:
    """The files of a folder; names are relative to it, with slashes.

    ``pictures``: in the order in which they are enlarged. ``unreadable``: folders, with the reason.
    ``left_out``: other files and folders, with their kind: a suffix, ``hidden``, ``folder`` and so
    on.
    """

    pictures: list[str] = field(default_factory=list)
    unreadable: dict[str, str] = field(default_factory=dict)
    left_out: dict[str, str] = field(default_factory=dict)


def left_out_text(kinds: Iterable[str]) -> str:
    """Count the files that were left out by kind, the most frequent first.

    Raw files of cameras are always named, as they are pictures to the person who has them.

    Example:
        >>> left_out_text([".txt", "folder", ".txt", "folder", ".psd"])
        '5 left out (2 .txt, 2 folders, 1 .psd)'
        >>> left_out_text([".nef", ".xmp", ".dng"])
        "3 left out (1 .xmp, 2 cameras' raw files: develop them first)"
        >>> left_out_text([])
        ''
    """
    counts = Counter("raw" if kind in RAW_SUFFIXES else kind for kind in kinds)
    if not counts:
        return ""
    total, raw = counts.total(), counts.pop("raw", 0)
    ordered = sorted(counts.items(), key=lambda kind: -kind[1])
    named = len(ordered) if len(ordered) == _KINDS_NAMED + 1 else _KINDS_NAMED
    words = [
        f"{count} {kind}{'s' if count > 1 and kind.endswith(FOLDER) else ''}"
        for kind, count in ordered[:named]
    ]
    others = sum(count for _, count in ordered[named:])
    words += [f"{others} others"] if others else []
    words += [f"{raw} cameras' raw files: develop them first"] if raw > 1 else []
    words += ["1 camera's raw file: develop it first"] if raw == 1 else []
    return f"{total} left out ({', '.join(words)})"


def list_pictures(
    source: Storage,
    target: Storage,
    *,
    recursive: bool,
    result_format: ResultFormat | None = None,
    may_be_empty: bool = False,
) -> tuple[Listing, dict[str, ResultName]]:
    """Find the pictures of a batch, and refuse a batch that would harm them.

    Args:
        source: is only listed; links to folders are not followed.
        target: is not searched, nor is any other folder with a report: it holds results.
        recursive: also the folders in source.
        result_format: the format of all results, or None for each picture's own.
        may_be_empty: whether a folder without a picture is no error.

    Returns:
        The files of source, and by picture its result's name.

    Raises:
        MissingFileError: the folder does not exist, or has no picture.
        InputError: source cannot be read, or target is source or would replace pictures in it.
        OutputError: this user may not look or write into target.
    """
    if isinstance(source, ObjectStore):
        listing = _list_store(source, target, recursive=recursive)
    elif isinstance(source, NamedFiles):
        listing = _list_named(source, target, recursive=recursive)
    else:
        listing = _list_folder(Path(source.root), target, recursive=recursive)
    if not (listing.pictures or listing.unreadable or may_be_empty):
        others = left_out_text(listing.left_out.values())
        hint = "; `recursive` takes its folders" if FOLDER in listing.left_out.values() else ""
        raise MissingFileError(
            f"no picture that can be read in {full_name(source)}"
            + (f": {others}{hint}" if others else "")
        )
    if source.identities("") & target.identities(""):
        raise InputError(f"{full_name(target)} is the input itself; name another folder")
    if PurePosixPath(target.root).suffix.lower() in SUFFIXES and target.size_bytes("") is None:
        raise InputError(
            f"{full_name(source)} is a folder, so name a folder for the results, "
            f"not {full_name(target)}"
        )
    target.check_writable()
    names = result_names(listing.pictures, result_format)
    _check_no_input_is_replaced(names, source, target)
    return listing, names


def _check_no_input_is_replaced(
    names: dict[str, ResultName], source: Storage, target: Storage
) -> None:
    pictures = {identity for name in names for identity in source.identities(name)}
    for name, result in names.items():
        if not pictures.isdisjoint(target.identities(result.output)):
            raise InputError(
                f"the result of {full_name(source, name)} would replace the picture "
                f"{full_name(target, result.output)}; name another folder"
            )


def _list_named(source: NamedFiles, target: Storage, *, recursive: bool) -> Listing:
    """List files that were named, whatever their names are, and folders among them."""
    listing = Listing()
    for name, path in source.inputs.items():
        if not is_visible_folder(path):
            listing.pictures.append(name)
            continue
        try:
            below = _list_folder(path, target, recursive=recursive)
        except InputError as error:
            listing.unreadable[name] = str(error.__cause__ or error)
            continue
        listing.pictures += [f"{name}/{each}" for each in below.pictures]
        listing.unreadable |= {f"{name}/{each}": why for each, why in below.unreadable.items()}
        listing.left_out |= {f"{name}/{each}": kind for each, kind in below.left_out.items()}
    return listing


def _list_folder(source: Path, target: Storage, *, recursive: bool) -> Listing:
    if not is_folder(source):
        raise MissingFileError(f"no folder {source}")
    listing = Listing()
    results = target.identities("")

    def failed(error: OSError) -> None:
        name = _relative(Path(error.filename), source)
        listing.unreadable[name] = error.strerror or str(error)

    for folder, below, names in os.walk(source, onerror=failed):
        here, entered = Path(folder), []
        for name in sorted(below):
            path = here / name
            if name.startswith(OWN) or os.path.realpath(path) in results:
                continue
            kind = _kind_of_folder(path, recursive=recursive)
            if kind is None:
                entered.append(name)
            else:
                listing.left_out[_relative(path, source)] = kind
        below[:] = entered
        for name in sorted(names):
            if is_picture_file(here / name):
                listing.pictures.append(_relative(here / name, source))
            elif not name.startswith(OWN):
                listing.left_out[_relative(here / name, source)] = kind_left_out(name)
    if "." in listing.unreadable:
        raise InputError(f"cannot read {source}: {listing.unreadable['.']}")
    return listing


def _kind_of_folder(path: Path, *, recursive: bool) -> str | None:
    """Give the kind of a folder that is left out; None for one that is searched."""
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


def _list_store(source: ObjectStore, target: Storage, *, recursive: bool) -> Listing:
    names = source.tree(recursive=recursive)
    results = {
        name.removesuffix(NAME)
        for name in names
        if name.endswith(f"/{NAME}") and rows_of(_content(source, name))
    }
    own = ""
    if target.root.startswith(f"{source.root}/"):
        own = target.root.removeprefix(f"{source.root}/") + "/"
    listing = Listing()
    for name in names:
        if any(part.startswith(OWN) for part in PurePosixPath(name).parts):
            continue
        if own and name.startswith(own):
            continue
        left_out = _left_out_with_its_folder(name, results)
        if left_out is not None:
            listing.left_out |= left_out
        elif is_picture_name(name) or (
            may_be_picture(name) and begins_as_picture(source.start(name))
        ):
            listing.pictures.append(name)
        else:
            listing.left_out[name] = kind_left_out(name)
    if not recursive:
        for folder in source.folders():
            if not folder.startswith(OWN) and f"{folder}/" != own:
                listing.left_out[folder] = HIDDEN if is_hidden(folder) else FOLDER
    return listing


def _left_out_with_its_folder(name: str, results: set[str]) -> dict[str, str] | None:
    """Give the outermost folder of an object that is hidden or holds results, with its kind."""
    for folder in reversed(PurePosixPath(name).parents[:-1]):
        if is_hidden(folder.name):
            return {folder.as_posix(): HIDDEN}
        if f"{folder.as_posix()}/" in results:
            return {folder.as_posix(): RESULTS}
    return None


def _content(source: ObjectStore, name: str) -> bytes:
    try:
        return source.read(name) or b""
    except OutputError as error:
        raise InputError(str(error)) from error


def full_name(storage: Storage, name: str = "") -> str:
    """Name a folder, or a file in it, for messages."""
    if isinstance(storage, NamedFiles) and not name:
        return ", ".join(map(str, storage.inputs.values()))
    if isinstance(storage, LocalFolder):
        return str(storage.path(name))
    return f"{storage.root}/{name}" if name else storage.root


def _relative(path: Path, folder: Path) -> str:
    return path.relative_to(folder).as_posix()
