"""The served pictures: those of a folder and of folders below it, and uploads."""

import logging
import os
import re
import secrets
import shutil
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from math import inf
from pathlib import Path, PurePosixPath

from clearzoom.batch.object_blocks import ObjectParts
from clearzoom.errors import ClearzoomError, ConfigError, MissingFileError
from clearzoom.io.names import is_picture_file, is_picture_name, may_be_picture
from clearzoom.io.reading import Source, open_picture
from clearzoom.server.access.services import PATH
from clearzoom.server.access.visitors import may_see
from clearzoom.server.error_answers import ACCESS, RefusedError, worded_for_clients
from clearzoom.server.gallery.entries import Entry as Entry
from clearzoom.server.gallery.entries import Locked as Locked
from clearzoom.server.gallery.entries import Unreadable as Unreadable
from clearzoom.server.gallery.headers import count_pages, header_of, missing
from clearzoom.server.gallery.owner_file import Marks, marks_of
from clearzoom.server.gallery.store import PictureStore
from clearzoom.server.locks import CancelCheck
from clearzoom.server.tiles.cache import forget_oldest

_UPLOAD = re.compile(r"upload-[0-9a-f]{32}")
_PAGE = re.compile(r"(?P<file>.+)~p(?P<number>[1-9]\d{0,3})", re.DOTALL)
_LONGEST_ID = 1024
_UPLOAD_BYTES = 16_384
"""What the disk needs for an upload besides its bytes: blocks, its folder and its name."""
_NO_NAME = "\\" if os.sep == "\\" else "\0"
"""No file has it in its name: elsewhere a backslash is a letter like others."""
_log = logging.getLogger("clearzoom.server")


class Library:
    """Finds pictures by identifier; nothing outside of the folder is ever named or opened.

    Args:
        folder: the served folder.
        uploads: folder of the uploads.
        max_pixels: larger pictures are refused.
        cache: the server's own files, which are not served where they lie in the folder.
        store: makes the folder, where the pictures lie elsewhere.

    Attributes:
        folder: the served folder, with links resolved.
    """

    def __init__(
        self,
        folder: Path,
        uploads: Path,
        max_pixels: int,
        cache: Path | None = None,
        store: PictureStore | None = None,
    ) -> None:
        self._store = store
        self.folder = folder.resolve()
        self._cache = None if cache is None else cache.resolve()
        self._uploads = uploads
        self._max_pixels = max_pixels
        uploads.mkdir(parents=True, exist_ok=True)

    def find(self, identifier: str, *, described: bool = False) -> Entry:
        """Find a picture; of a TIFF with several pages, the first one unless a page is named.

        Args:
            identifier: the decoded identifier.
            described: whether it is only described as IIIF's viewers must be able to read it before
                they let people log in: title, size and rights, and no pixels.

        Raises:
            RefusedError: 401 where the visitor of this request may not see it.
            MissingFileError: there is no such picture, or it lies outside; the message is the same.
            ConfigError: a ``clearzoom.toml`` that holds for it cannot be read.
        """
        try:
            entry = self._file(identifier)
        except MissingFileError:
            named = _PAGE.fullmatch(identifier)
            if named is None:
                raise
            entry = self.page(self._file(named["file"]), int(named["number"]))
        if not described and not may_see(entry.marks.access):
            raise RefusedError(
                401,
                f"this picture is for the group {entry.marks.access!r}; log in at "
                f"{PATH}/access/{entry.marks.access}",
                code=ACCESS,
            )
        return entry

    def page(self, entry: Entry, number: int) -> Entry:
        """Find a page of a file.

        Args:
            entry: any page of a TIFF with several.
            number: of the page, from 1.

        Raises:
            MissingFileError: there is no such page.
        """
        if entry.pages == 1 or number > entry.pages:
            raise missing()
        file = entry.path.relative_to(self.folder).as_posix()
        return replace(entry, identifier=f"{file}~p{number}", page=number)

    def _file(self, identifier: str) -> Entry:
        if _UPLOAD.fullmatch(identifier):
            path = self._uploads / identifier
            try:
                name = (path / "name").read_text("utf-8")
            except OSError:
                raise missing() from None
            return Entry(identifier, path / "picture", name, Marks(), is_upload=True)
        path = self.inside(identifier)
        if not path.is_file() or not is_picture_file(path):
            raise missing()  # also where there is another file, of which nobody must learn
        marks = marks_of(self.folder, path.relative_to(self.folder))
        real = path.resolve()
        if real != path:  # a link is no way around
            behind = marks_of(self.folder, real.relative_to(self.folder)).access
            marks = marks.model_copy(update={"access": behind or marks.access})
        return Entry(identifier, path, path.name, marks, pages=count_pages(path))

    def inside(self, identifier: str) -> Path:
        """Return the path of a file or folder in the served folder.

        Args:
            identifier: the path below the served folder, with ``/``.

        Raises:
            MissingFileError: there is none, it is hidden, or it lies outside.
        """
        parts = identifier.split("/")
        if len(identifier) > _LONGEST_ID or "\0" in identifier:
            raise missing()
        if any(not part or part.startswith(".") or _NO_NAME in part for part in parts):
            raise missing()
        path = self.folder / PurePosixPath(identifier)
        try:
            real = path.resolve(strict=True)
        except (OSError, ValueError, RuntimeError):  # not there, not encodable, links in a circle
            raise missing() from None
        if self._cache is not None and real.is_relative_to(self._cache):
            raise missing()
        if not real.is_relative_to(self.folder):
            raise missing()
        return path

    def has(self, identifier: str) -> bool:
        """Return whether there is such a picture."""
        try:
            self.find(identifier, described=True)
        except MissingFileError:
            return False
        return True

    def pictures(self) -> Iterator[tuple[Entry, Source] | Unreadable | Locked]:
        """List the folder's pictures by name, each with what its header states."""
        if self._store is not None:
            self._store.read_headers(self._max_pixels)
        for root, folders, files in os.walk(self.folder):
            own = self._cache is not None and Path(root) == self._cache
            folders[:] = sorted(name for name in folders if not (own or name.startswith(".")))
            for name in sorted(files):
                if not is_picture_name(name) and not may_be_picture(name):
                    continue
                try:
                    identifier = (Path(root) / name).relative_to(self.folder).as_posix()
                    identifier.encode()
                except UnicodeEncodeError:
                    yield Unreadable(ascii(name), "its name is not UTF-8; rename it")
                    continue
                try:
                    entry = self.find(identifier, described=True)
                    if may_see(entry.marks.access):
                        yield entry, self.header(entry)
                    else:
                        yield Locked(str(entry.marks.access))
                except MissingFileError:  # a link that leads out of the folder
                    continue
                except ConfigError as error:  # only whoever runs the server can mend it
                    _log.error("%s", error)
                    yield Unreadable(identifier, "what its folder says of it cannot be read")
                except RefusedError as error:
                    yield Unreadable(identifier, str(error))
                except ClearzoomError as error:
                    yield Unreadable(
                        identifier, worded_for_clients(error).replace(f"{self.folder}/", "")
                    )

    def found_file(self, identifier: str) -> Entry:
        """Find a picture whose file can be read at once, as a process of its own needs it.

        Raises:
            Exception: as ``find`` and ``fetched`` raise it.
        """
        entry = self.find(identifier)
        file = self.fetched(entry, lambda: None)
        return entry if file == entry.path else replace(entry, path=file, is_copy=True)

    def header(self, entry: Entry) -> Source:
        """Read the header of a picture; it is remembered until the file changes.

        Raises:
            InputError: and its kinds, as ``open_picture`` raises them.
        """
        if self._store is not None and not entry.is_upload:
            return self._store.header(entry.path, self._max_pixels)
        return header_of(entry.path, self._max_pixels, entry.read_page)

    def file_of(self, entry: Entry) -> Path | None:
        """Return the file with a picture's content; None if it is in a store, and not copied."""
        if self._store is None or entry.is_upload:
            return entry.path
        return self._store.copy_of(entry.path)

    def open_parts(self, entry: Entry) -> ObjectParts | None:
        """Open a picture of a store that is read part by part; None of one that is fetched.

        Raises:
            MissingFileError: the picture is no longer in the store.
            RefusedError: 503, the store does not give it.
        """
        if self._store is None or entry.is_upload:
            return None
        return self._store.open_parts(entry.path)

    def fetched(self, entry: Entry, check: CancelCheck) -> Path:
        """Return the file with a picture's content; it is copied from a store where it is missing.

        The cache may drop a copy at any time.

        Args:
            entry: the picture.
            check: is called while another thread makes the same copy.

        Raises:
            MissingFileError: the picture is no longer in the store.
            FullDiskError: there is no room for the copy.
            RefusedError: 503, the store does not give it.
        """
        if self._store is None or entry.is_upload:
            return entry.path
        return self._store.copied(entry.path, check)

    def add(self, name: str, received: Path, max_pixels: int) -> Entry:
        """Add an uploaded file, which is moved.

        Args:
            name: the name that the client states; people see it, and no path contains it.
            received: the file; one that is no picture stays where it is.
            max_pixels: larger pictures are refused.

        Raises:
            InputError: and its kinds: the file is no picture, or too large.
        """
        try:
            open_picture(received, max_pixels=max_pixels)
        except ClearzoomError as error:
            raise error.with_message(
                str(error).replace(str(received), name or "the file")
            ) from None
        identifier = f"upload-{secrets.token_hex(16)}"
        folder = self._uploads / identifier
        folder.mkdir()
        received.replace(folder / "picture")
        (folder / "name").write_text(name, "utf-8")
        return self.find(identifier)

    def forget_oldest(self, spared: Entry, most_bytes: int) -> None:
        """Delete the oldest uploads but one, until all are small enough together."""
        uploads = []
        for picture in self._uploads.glob("*/picture"):
            with suppress(OSError):
                state = picture.stat()
                used = inf if picture == spared.path else state.st_mtime
                uploads.append((used, state.st_size + _UPLOAD_BYTES, picture.parent))
        forget_oldest(uploads, max(most_bytes, spared.path.stat().st_size))

    def remove(self, entry: Entry) -> None:
        """Delete an upload."""
        if entry.is_upload:
            shutil.rmtree(entry.path.parent, ignore_errors=True)
