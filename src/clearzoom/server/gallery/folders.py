"""The served folders: each is a book of its pictures, and a collection of what lies in it."""

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from clearzoom.errors import ClearzoomError, MissingFileError
from clearzoom.io.names import is_picture_name, may_be_picture
from clearzoom.io.reading import Source
from clearzoom.server.gallery.library import Entry, Library
from clearzoom.server.gallery.owner_file import FolderMarks, folder_marks_of

_DIGITS = re.compile(r"([0-9]+)")


@dataclass(frozen=True)
class Folder:
    """A served folder, or one below it.

    Attributes:
        identifier: the path below the served folder, with ``/``; empty for the served folder.
        path: the folder.
        marks: what the owner states about it.
    """

    identifier: str
    path: Path
    marks: FolderMarks

    @property
    def title(self) -> str:
        """Its title, or else its name."""
        return self.marks.label or self.path.name


def find_folder(library: Library, identifier: str) -> Folder:
    """Find a folder.

    Args:
        library: of the served folder.
        identifier: the decoded identifier.

    Raises:
        MissingFileError: there is no such folder, or it lies outside.
        ConfigError: a ``clearzoom.toml`` that holds for it cannot be read.
    """
    path = library.inside(identifier) if identifier else library.folder
    if not path.is_dir():
        raise MissingFileError("there is no such folder; see /iiif/presentation/3/collection")
    marks = folder_marks_of(library.folder, path.relative_to(library.folder))
    return Folder(identifier, path, marks)


def is_folder(library: Library, identifier: str) -> bool:
    """Return whether there is such a folder."""
    try:
        return library.inside(identifier).is_dir()
    except MissingFileError:
        return False


def natural_key(name: str) -> tuple[tuple[str | int, ...], str]:
    """Return a key that sorts names as people count: page 2 stands before page 10.

    Example:
        >>> sorted(["p10.jpg", "P2.jpg", "p1.jpg"], key=natural_key)
        ['p1.jpg', 'P2.jpg', 'p10.jpg']
    """
    # Texts and numbers alternate, so that a number is never compared with a text.
    parts = _DIGITS.split(name.casefold())
    return tuple(int(part) if at % 2 else part for at, part in enumerate(parts)), name


def files_of(library: Library, folder: Folder) -> Iterator[tuple[Entry, Source]]:
    """List the pictures of a folder itself in the owner's order, then by name; headers are read.

    A TIFF with several pages is one file, and comes with its first page's header. What cannot be
    read is left out.
    """
    place = {name: at for at, name in enumerate(folder.marks.order)}
    names = [each.name for each in _scanned(folder) if _may_show(each.name)]
    names.sort(key=lambda name: (place.get(name, len(place)), natural_key(name)))
    for name in names:
        try:
            entry = library.find(f"{folder.identifier}/{name}".lstrip("/"), described=True)
            yield entry, library.header(entry)
        except ClearzoomError:  # the list of pictures says why
            continue


def pages_of(library: Library, entry: Entry, source: Source) -> Iterator[tuple[Entry, Source]]:
    """List the pages of a file that can be read; a file with one picture is that page itself.

    Args:
        library: of the served folder.
        entry: the file.
        source: the header of its first page.
    """
    if entry.pages == 1 or entry.page is not None:
        yield entry, source
        return
    for number in range(1, entry.pages + 1):
        try:
            page = library.page(entry, number)
            yield page, library.header(page)
        except ClearzoomError:
            continue


def folders_in(library: Library, folder: Folder) -> list[Folder]:
    """List the folders in a folder that hold pictures, also further below; links are left out."""
    names = [each.name for each in _scanned(folder) if each.is_dir(follow_symlinks=False)]
    found = []
    for name in sorted(names, key=natural_key):
        try:
            below = find_folder(library, f"{folder.identifier}/{name}".lstrip("/"))
        except ClearzoomError:
            continue
        if _holds_pictures(below.path):
            found.append(below)
    return found


def _scanned(folder: Folder) -> list[os.DirEntry[str]]:
    with os.scandir(folder.path) as found:
        return [each for each in found if not each.name.startswith(".") and _is_utf8(each.name)]


def _holds_pictures(path: Path) -> bool:
    for _, folders, files in os.walk(path):
        folders[:] = [name for name in folders if not name.startswith(".")]
        if any(_may_show(name) for name in files):
            return True
    return False


def _may_show(name: str) -> bool:
    return is_picture_name(name) or may_be_picture(name)


def _is_utf8(name: str) -> bool:
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True
