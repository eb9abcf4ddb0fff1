"""What the library says of one picture: found, unreadable, or closed to the visitor."""

from dataclasses import dataclass
from pathlib import Path

from clearzoom.server.gallery.owner_file import Marks


@dataclass(frozen=True)
class Entry:
    """A served picture.

    Attributes:
        identifier: the path below the served folder, with ``/``, and ``~p2`` where a page is named;
            of an upload a random name.
        path: the file.
        name: name of the file, as people see it.
        marks: what the owner states about it.
        is_upload: whether a client uploaded it.
        is_copy: whether the file is a copy, which the cache may drop at any time.
        pages: how many pictures the file holds.
        page: which of them is named, from 1; None for the whole file.
    """

    identifier: str
    path: Path
    name: str
    marks: Marks
    is_upload: bool = False
    is_copy: bool = False
    pages: int = 1
    page: int | None = None

    @property
    def upscaling(self) -> bool:
        """Whether detail may be inferred."""
        return self.marks.upscaling is not False

    @property
    def read_page(self) -> int | None:
        """The page that is read: of a file with several the first, unless another is named."""
        return self.page or (1 if self.pages > 1 else None)


@dataclass(frozen=True)
class Unreadable:
    """A file that has the name of a picture and cannot be read as one."""

    identifier: str
    why: str


@dataclass(frozen=True)
class Locked:
    """A file that the visitor of this request may not see; only the name of its group is stated."""

    group: str
