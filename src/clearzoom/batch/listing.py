"""The pictures of a batch and the names of their results, wherever both lie."""

from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from clearzoom.batch.places import Folder, Place
from clearzoom.batch.remote import Remote
from clearzoom.batch.report import NAME, rows_of
from clearzoom.batch.tree import OWN, Tree, find_pictures, is_picture, pictures_to_do, result_name
from clearzoom.errors import InputError, MissingFileError, OutputError
from clearzoom.io.formats import SUFFIXES


@dataclass
class Listing:
    """``pictures``: names in the source. ``unreadable``: folders of it, with the reason."""

    pictures: list[str] = field(default_factory=list)
    unreadable: dict[str, str] = field(default_factory=dict)


def list_pictures(source: Place, target: Place, *, recursive: bool) -> Listing:
    """Find the pictures of a batch, and refuse a batch that would harm them.

    Args:
        source: is only looked at.
        target: is not looked into, and no other folder with a report is: those are results.
        recursive: also the folders in source.

    Raises:
        MissingFileError: no such folder, or no picture in it.
        InputError: source cannot be read, or target is source or would replace pictures in it.
        OutputError: this user may not look into target.
    """
    if isinstance(source, Folder):
        folder = Path(source.root)
        if isinstance(target, Folder):
            return _relative(pictures_to_do(folder, Path(target.root), recursive=recursive), folder)
        _check_is_folder(source, target)
        return _relative(find_pictures(folder, None, recursive=recursive), folder)
    assert isinstance(source, Remote)
    _check_is_folder(source, target)
    pictures = _pictures(source, target, recursive=recursive)
    if not pictures:
        raise MissingFileError(f"no picture ({', '.join(SUFFIXES)}) in {source.root}")
    if isinstance(target, Remote):
        own = {f"{source.root}/{name}" for name in pictures}
        for name in pictures:
            result = f"{target.root}/{result_name(name)}"
            if result in own:
                raise InputError(
                    f"the result of {source.root}/{name} would replace the picture {result}; "
                    "name another folder"
                )
    return Listing(pictures)


def _pictures(source: Remote, target: Place, *, recursive: bool) -> list[str]:
    names = source.tree(recursive=recursive)
    results = {
        name.removesuffix(NAME)
        for name in names
        if name.endswith(f"/{NAME}") and rows_of(_content(source, name))
    }
    if isinstance(target, Remote) and target.root.startswith(f"{source.root}/"):
        results.add(target.root.removeprefix(f"{source.root}/") + "/")
    return [
        name
        for name in names
        if is_picture(name)
        and not any(part.startswith(OWN) for part in PurePosixPath(name).parts)
        and not any(name.startswith(folder) for folder in results)
    ]


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


def _relative(tree: Tree, folder: Path) -> Listing:
    return Listing(
        [path.relative_to(folder).as_posix() for path in tree.pictures],
        {path.relative_to(folder).as_posix(): why for path, why in tree.unreadable.items()},
    )
