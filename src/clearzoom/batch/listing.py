"""The pictures of a batch and the names of their results, wherever both lie."""

from pathlib import Path, PurePosixPath

from clearzoom.batch.naming import ResultName, result_names
from clearzoom.batch.object_store import Remote
from clearzoom.batch.report import NAME, rows_of
from clearzoom.batch.storage import Folder, Place
from clearzoom.batch.tree import (
    FOLDER,
    RESULTS,
    Listing,
    check_any,
    find_pictures,
    pictures_to_do,
)
from clearzoom.errors import InputError, OutputError
from clearzoom.io.formats import SUFFIXES, ResultFormat
from clearzoom.io.names import (
    HIDDEN,
    begins_as_picture,
    is_hidden,
    is_picture_name,
    kind_left_out,
    may_be_picture,
)
from clearzoom.pipeline.paths import OWN


def list_pictures(
    source: Place, target: Place, *, recursive: bool, wanted: ResultFormat | None = None
) -> tuple[Listing, dict[str, ResultName]]:
    """Find the pictures of a batch, and refuse a batch that would harm them.

    Args:
        source: is only looked at.
        target: is not looked into, and no other folder with a report is: those are results.
        recursive: also the folders in source.
        wanted: the format of all results, or None for each picture's own.

    Returns:
        What there is, and by picture its result's name.

    Raises:
        MissingFileError: no such folder, or no picture in it.
        InputError: source cannot be read, or target is source or would replace pictures in it.
        OutputError: this user may not look into target.
    """
    if isinstance(source, Folder):
        folder = Path(source.root)
        if isinstance(target, Folder):
            output = Path(target.root)
            return pictures_to_do(folder, output, recursive=recursive, wanted=wanted)
        _check_is_folder(source, target)
        listing = find_pictures(folder, None, recursive=recursive)
        return listing, result_names(listing.pictures, wanted)
    assert isinstance(source, Remote)
    _check_is_folder(source, target)
    listing = _listed(source, target, recursive=recursive)
    check_any(listing, source.root)
    names = result_names(listing.pictures, wanted)
    if isinstance(target, Remote):
        own = {f"{source.root}/{name}" for name in listing.pictures}
        for name, named in names.items():
            result = f"{target.root}/{named.output}"
            if result in own:
                raise InputError(
                    f"the result of {source.root}/{name} would replace the picture {result}; "
                    "name another folder"
                )
    return listing, names


def _listed(source: Remote, target: Place, *, recursive: bool) -> Listing:
    names = source.tree(recursive=recursive)
    results = {
        name.removesuffix(NAME)
        for name in names
        if name.endswith(f"/{NAME}") and rows_of(_content(source, name))
    }
    ours = ""
    if isinstance(target, Remote) and target.root.startswith(f"{source.root}/"):
        ours = target.root.removeprefix(f"{source.root}/") + "/"
    listing = Listing()
    for name in names:
        if any(part.startswith(OWN) for part in PurePosixPath(name).parts):
            continue
        if ours and name.startswith(ours):
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
            if not folder.startswith(OWN) and f"{folder}/" != ours:
                listing.left_out[folder] = HIDDEN if is_hidden(folder) else FOLDER
    return listing


def _left_out_with_its_folder(name: str, results: set[str]) -> dict[str, str] | None:
    """The outermost folder of an object that is hidden or holds results; None if none is."""
    for folder in reversed(PurePosixPath(name).parents[:-1]):
        if is_hidden(folder.name):
            return {folder.as_posix(): HIDDEN}
        if f"{folder.as_posix()}/" in results:
            return {folder.as_posix(): RESULTS}
    return None


def _content(source: Remote, name: str) -> bytes:
    try:
        return source.read(name) or b""
    except OutputError as error:
        raise InputError(str(error)) from error


def _check_is_folder(source: Place, target: Place) -> None:
    if source.root == target.root:
        raise InputError(f"{target.root} is the input itself; name another folder")
    if PurePosixPath(target.root).suffix.lower() in SUFFIXES:
        raise InputError(
            f"{source.root} is a folder, so name a folder for the results, not {target.root}"
        )
