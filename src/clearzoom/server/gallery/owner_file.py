"""The file ``clearzoom.toml``, in which a folder's owner describes its pictures."""

import os
from collections.abc import Container
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from typing import Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, HttpUrl, ValidationError

from clearzoom.errors import ConfigError
from clearzoom.io.documents import read_toml
from clearzoom.server.access.passwords import GROUP
from clearzoom.server.access.visitors import is_open
from clearzoom.server.file_states import FileState, state_of
from clearzoom.server.gallery.watermark import Watermark

NAME = "clearzoom.toml"
MOST_CACHE_SECONDS = 31_536_000
"""A year."""
M = TypeVar("M", bound="Marks")
_REGISTRIES = ("creativecommons.org", "rightsstatements.org")


class Marks(BaseModel):
    """What an owner states of one picture, or of all in a folder and below.

    A key that is left out is as in the folder above.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    upscaling: bool | None = None
    """Whether detail may be inferred; true unless it is set."""
    rights: HttpUrl | None = None
    """The address of a licence or a rights statement."""
    attribution: str | None = None
    """A line that the page shows beside the picture."""
    cache_seconds: int | None = Field(default=None, ge=0, le=MOST_CACHE_SECONDS)
    """For how long caches may keep answers without asking again; 0 unless it is set."""
    watermark: Watermark | Literal[False] | None = None
    """What is drawn over pixels before they are sent; false for nothing."""
    access: str | None = Field(default=None, pattern=f"^(?:{GROUP.pattern})$")
    """The group that may see it, or "public"; who knows a password of the group belongs to it."""
    label: str | None = None
    """The title, in place of the name; a folder's is its own, and not that of its pictures."""

    @property
    def iiif_rights(self) -> str | None:
        """The rights as IIIF allows them: those of two registries, with an http address."""
        if self.rights is None or self.rights.host not in _REGISTRIES:
            return None
        return str(self.rights).replace("https://", "http://", 1)

    def over(self, outer: M) -> M:
        """Return the marks of an outer folder, updated with these."""
        stated = {name: value for name, value in self if value is not None}
        return outer.model_copy(update=stated)


_INHERITED = set(Marks.model_fields) - {"label"}


class FolderMarks(Marks):
    """The whole file: marks of the folder, and of single pictures by file name."""

    order: tuple[str, ...] = ()
    """Names of the files that come first where the folder is shown as a book."""
    behavior: tuple[Literal["paged", "continuous", "individuals", "unordered"], ...] = ()
    """How viewers lay out the book's pictures, in IIIF's words."""
    viewing_direction: (
        Literal["left-to-right", "right-to-left", "top-to-bottom", "bottom-to-top"] | None
    ) = None
    """In which direction the book is read."""
    pictures: dict[str, Marks] = Field(default_factory=dict)
    """The files of this folder by name, each with the keys above."""


def marks_of(folder: Path, relative: Path) -> Marks:
    """Read what the owner states of a picture, from the served folder down to the picture's own.

    Args:
        folder: the served folder.
        relative: the path of the picture below it.

    Raises:
        ConfigError: a file is no such TOML; nothing of its pictures should be shown then.
    """
    marks = Marks()
    for place in _places(folder, relative.parent):
        file = _read(place / NAME)
        if file is None:
            continue
        marks = Marks(**file.model_dump(include=_INHERITED)).over(marks)
        name = relative.relative_to(place.relative_to(folder)).as_posix()
        if name in file.pictures:
            marks = file.pictures[name].over(marks)
    return marks


def folder_marks_of(folder: Path, relative: Path) -> FolderMarks:
    """Read what the owner states of a folder itself; what it does not state is as in those above.

    Args:
        folder: the served folder.
        relative: the path of the folder below it.

    Raises:
        ConfigError: a file is no such TOML.
    """
    marks = FolderMarks()
    for place in _places(folder, relative):
        outer = FolderMarks(**marks.model_dump(include=_INHERITED))
        marks = (_read(place / NAME) or FolderMarks()).over(outer)
    return marks


def marks_changed_ns(folder: Path, relative: Path) -> int:
    """Return when what the owner states of a picture changed last, in ns since 1970, or 0.

    Args:
        folder: the served folder.
        relative: the path of the picture below it.
    """
    watermark = marks_of(folder, relative).watermark
    places = _places(folder, relative.parent)
    files = [*places, *(place / NAME for place in places)]  # the folders, as a file can be deleted
    files += [watermark.image] if watermark and watermark.image else []
    changed_ns = [0]
    for file in files:
        with suppress(OSError):
            state = file.stat()
            changed_ns += [state.st_mtime_ns, state.st_ctime_ns]
    return max(changed_ns)


def check_marks(folder: Path, groups: Container[str] = ()) -> None:
    """Read all such files in a folder and below, so that mistakes show before it is served.

    Args:
        folder: the served folder.
        groups: those that have a password.

    Raises:
        ConfigError: a file is no such TOML, its watermark cannot be drawn, or it names another
            group; the message says which.
    """
    for root, folders, files in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".")]
        file = _read(Path(root) / NAME) if NAME in files else None
        for marks in (file, *file.pictures.values()) if file else ():
            if marks.watermark:
                marks.watermark.stamp()
            if not is_open(marks.access) and marks.access not in groups:
                raise ConfigError(
                    f"{Path(root) / NAME}: the group {marks.access!r} has no password; give it "
                    "one in the file that `access_file` names"
                )


def _places(folder: Path, relative: Path) -> list[Path]:
    """List the folders whose files hold for a folder, from the served one down to itself."""
    inner = [relative, *relative.parents][-2::-1]
    return [folder, *(folder / each for each in inner)]


def _read(path: Path) -> FolderMarks | None:
    try:
        state = state_of(path)
    except OSError as error:
        if not path.is_symlink() and isinstance(error, FileNotFoundError | NotADirectoryError):
            return None
        # What it would say may close the folder.
        raise ConfigError(f"cannot read {path}: {error.strerror}") from error
    return _parsed(path, state)


@lru_cache(maxsize=256)
def _parsed(path: Path, state: FileState) -> FolderMarks:
    try:
        content = read_toml(path, ConfigError)
        return FolderMarks.model_validate(content, context={"folder": path.parent})
    except ValidationError as error:
        faults = "; ".join(
            f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}" for fault in error.errors()
        )
        raise ConfigError(f"{path}: {faults}") from error
