"""What a folder's owner says of its pictures: ``clearzoom.toml`` beside them."""

import os
from functools import lru_cache
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, HttpUrl, ValidationError

from clearzoom.errors import ConfigError
from clearzoom.io.documents import read_toml

NAME = "clearzoom.toml"
_REGISTRIES = ("creativecommons.org", "rightsstatements.org")


class Marks(BaseModel):
    """Of one picture, or of all in a folder and below. What is left out is as further up."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    upscaling: bool | None = None
    """Whether detail may be inferred; allowed where nothing is said."""
    rights: HttpUrl | None = None
    """Of a licence or a rights statement."""
    attribution: str | None = None
    """Shown beside the picture."""
    label: str | None = None
    """Of one picture: its title, in place of the file's name."""

    @property
    def iiif_rights(self) -> str | None:
        """Rights as IIIF takes them: of the two registries alone, under their own http names."""
        if self.rights is None or self.rights.host not in _REGISTRIES:
            return None
        return str(self.rights).replace("https://", "http://", 1)

    def over(self, outer: "Marks") -> "Marks":
        """Give outer with what is said here in its place."""
        said = {name: value for name, value in self if value is not None}
        return outer.model_copy(update=said)


class FolderMarks(Marks):
    """The whole file: of the folder, and of single pictures by file name."""

    pictures: dict[str, Marks] = Field(default_factory=dict)
    """Files of this folder by name, each with the keys above."""


def marks_of(folder: Path, relative: Path) -> Marks:
    """Read what is said of a picture, from the served folder down to its own.

    Args:
        folder: that is served.
        relative: the picture, as seen from it.

    Raises:
        ConfigError: a file is no such TOML; nothing of its picture should be shown then.
    """
    marks = Marks()
    places = [folder, *(folder / parent for parent in list(relative.parents)[-2::-1])]
    for place in places:
        said = _read(place / NAME)
        if said is None:
            continue
        marks = Marks(**said.model_dump(exclude={"pictures", "label"})).over(marks)
        name = relative.relative_to(place.relative_to(folder)).as_posix()
        if name in said.pictures:
            marks = said.pictures[name].over(marks)
    return marks


def check_marks(folder: Path) -> None:
    """Read all that is said in a folder and below, so that a mistake shows before it is served.

    Raises:
        ConfigError: a file is no such TOML; it is named.
    """
    for root, folders, files in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".")]
        if NAME in files:
            _read(Path(root) / NAME)


def _read(path: Path) -> FolderMarks | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return _parsed(path, found.st_mtime_ns, found.st_size)


@lru_cache(maxsize=256)
def _parsed(path: Path, mtime_ns: int, size: int) -> FolderMarks:
    try:
        return FolderMarks.model_validate(read_toml(path, ConfigError))
    except ValidationError as error:
        faults = "; ".join(
            f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}" for fault in error.errors()
        )
        raise ConfigError(f"{path}: {faults}") from error
