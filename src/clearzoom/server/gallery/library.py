"""The pictures that are served: those of a folder and below, and what was dropped on the page."""

import logging
import os
import re
import secrets
import shutil
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from math import inf
from pathlib import Path, PurePosixPath

from clearzoom.errors import ClearzoomError, ConfigError, MissingFileError
from clearzoom.io.names import is_picture_file, is_picture_name, may_be_picture
from clearzoom.io.reading import Source, open_picture
from clearzoom.server.gallery.owner_file import Marks, marks_of
from clearzoom.server.tiles.oldest import forget_oldest

_UPLOAD = re.compile(r"upload-[0-9a-f]{32}")
_LONGEST_ID = 1024
_log = logging.getLogger("clearzoom.server")


@dataclass(frozen=True)
class Entry:
    """A picture file by its identifier: the path below the folder, with ``/``."""

    identifier: str
    path: Path
    name: str
    marks: Marks
    is_upload: bool = False

    @property
    def upscaling(self) -> bool:
        """Whether detail may be inferred."""
        return self.marks.upscaling is not False


@dataclass(frozen=True)
class Unreadable:
    """A file that looks like a picture and is none."""

    identifier: str
    why: str


class Library:
    """Finds pictures by identifier; nothing outside of the folder is ever named or opened."""

    def __init__(self, folder: Path, uploads: Path, max_pixels: int) -> None:
        self._folder = folder.resolve()
        self._uploads = uploads
        self._max_pixels = max_pixels
        uploads.mkdir(parents=True, exist_ok=True)

    def find(self, identifier: str) -> Entry:
        """Find a picture.

        Args:
            identifier: decoded.

        Raises:
            MissingFileError: there is none, or it lies outside; the message is the same.
            ConfigError: what is said of it cannot be read.
        """
        missing = MissingFileError("there is no such picture; see /api/pictures")
        if len(identifier) > _LONGEST_ID or "\0" in identifier:
            raise missing
        if _UPLOAD.fullmatch(identifier):
            path = self._uploads / identifier
            try:
                name = (path / "name").read_text("utf-8")
            except OSError:
                raise missing from None
            return Entry(identifier, path / "picture", name, Marks(), is_upload=True)
        relative = PurePosixPath(identifier)
        parts = identifier.split("/")
        if any(part in ("", ".", "..") or part.startswith(".") or "\\" in part for part in parts):
            raise missing
        path = self._folder / relative
        try:
            inside = path.resolve(strict=True).is_relative_to(self._folder)
        except (OSError, ValueError, RuntimeError):  # not there, not encodable, links in a circle
            raise missing from None
        if not inside or not path.is_file():
            raise missing
        return Entry(identifier, path, relative.name, marks_of(self._folder, Path(*parts)))

    def has(self, identifier: str) -> bool:
        """Whether there is such a picture."""
        try:
            self.find(identifier)
        except MissingFileError:
            return False
        return True

    def pictures(self) -> Iterator[tuple[Entry, Source] | Unreadable]:
        """List the folder's pictures by name, each with what its header says."""
        for root, folders, files in os.walk(self._folder):
            folders[:] = sorted(name for name in folders if not name.startswith("."))
            for name in sorted(files):
                if not is_picture_name(name) and not may_be_picture(name):
                    continue
                try:
                    identifier = (Path(root) / name).relative_to(self._folder).as_posix()
                    identifier.encode()
                except UnicodeEncodeError:
                    yield Unreadable(ascii(name), "its name is not UTF-8; rename it")
                    continue
                try:
                    entry = self.find(identifier)
                    if is_picture_file(entry.path):  # asked last: it may open the file
                        yield entry, self.header(entry)
                except MissingFileError:  # a link that leads out of the folder
                    continue
                except ConfigError as error:  # is for who runs the server, not for its visitors
                    _log.error("%s", error)
                    yield Unreadable(identifier, "what its folder says of it cannot be read")
                except ClearzoomError as error:
                    yield Unreadable(identifier, str(error).replace(f"{self._folder}/", ""))

    def header(self, entry: Entry) -> Source:
        """Look at a picture; what was seen is remembered until the file changes.

        Raises:
            InputError: and its kinds, as ``open_picture`` says.
        """
        try:
            found = entry.path.stat()
        except OSError:
            raise MissingFileError("there is no such picture; see /api/pictures") from None
        return _header(entry.path, found.st_mtime_ns, found.st_size, self._max_pixels)

    def add(self, name: str, received: Path, max_pixels: int) -> Entry:
        """Take in an uploaded file, which moves.

        Args:
            name: as the sender says; is shown, and never part of a path.
            received: the file; is left where it is no picture.
            max_pixels: larger ones are refused.

        Raises:
            InputError: and its kinds: no picture, or too large.
        """
        try:
            open_picture(received, max_pixels=max_pixels)
        except ClearzoomError as error:
            raise type(error)(str(error).replace(str(received), name or "the file")) from None
        identifier = f"upload-{secrets.token_hex(16)}"
        folder = self._uploads / identifier
        folder.mkdir()
        received.replace(folder / "picture")
        (folder / "name").write_text(name, "utf-8")
        return self.find(identifier)

    def forget_oldest(self, kept: Entry, most_bytes: int) -> None:
        """Take the oldest uploads away until they are small enough together, but for one."""
        uploads = []
        for picture in self._uploads.glob("*/picture"):
            with suppress(OSError):
                found = picture.stat()
                used = inf if picture == kept.path else found.st_mtime
                uploads.append((used, found.st_size, picture.parent))
        forget_oldest(uploads, max(most_bytes, kept.path.stat().st_size))

    def remove(self, entry: Entry) -> None:
        """Take an upload away."""
        if entry.is_upload:
            shutil.rmtree(entry.path.parent, ignore_errors=True)


@lru_cache(maxsize=16_384)
def _header(path: Path, mtime_ns: int, size: int, max_pixels: int) -> Source:
    return open_picture(path, max_pixels=max_pixels)
