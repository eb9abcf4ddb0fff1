"""Where the pictures of a batch lie: a folder of this machine, or one of an object store."""

import os
import stat
from abc import ABC, abstractmethod
from collections.abc import Callable
from contextlib import AbstractContextManager, suppress
from errno import ENAMETOOLONG
from pathlib import Path
from typing import ClassVar

from clearzoom.batch.report import NAME, Row, check_report, read_report, rows_of
from clearzoom.batch.row_log import appended_rows
from clearzoom.errors import OutputError
from clearzoom.io.atomic import whole_file
from clearzoom.io.rights import may_write
from clearzoom.pipeline.paths import OWN, check_input, output_stat


class Storage(ABC):
    """A folder that holds pictures or results.

    Names of files are relative to it, with slashes. ``root`` is the folder as the user named it.
    ``appends``: a row that is added to the journal is on the disk when the call returns.
    """

    root: str
    appends: ClassVar[bool]

    @abstractmethod
    def path(self, name: str) -> Path:
        """Give the path at which this process reads or writes a file, or its copy.

        The file need not exist yet.
        """

    @abstractmethod
    def without_copies(self, text: str) -> str:
        """Replace the paths of copies in a message by the names of the files themselves."""

    @abstractmethod
    def identities(self, name: str) -> set[object]:
        """Give what identifies a file; two names of one file have an identity in common."""

    @abstractmethod
    def check_writable(self) -> None:
        """Refuse before the batch begins what cannot take results and a report.

        Raises:
            OutputError: the folder or its report cannot be written.
        """

    @abstractmethod
    def fetch(self, name: str) -> None:
        """Make sure that ``path`` has the content of a picture.

        Raises:
            MissingFileError: the file does not exist.
            InputError: the file cannot be read, or is not a regular file.
        """

    @abstractmethod
    def store(self, name: str) -> None:
        """Put the result at ``path`` in its place, whole or not at all.

        Raises:
            OutputError: the file cannot be written.
        """

    @abstractmethod
    def make_folder(self, name: str) -> None:
        """Make the folder in which ``path`` lies.

        Raises:
            OutputError: the folder cannot be made.
        """

    @abstractmethod
    def discard_copy(self, name: str) -> None:
        """Remove the copy of a file, if there is one."""

    @abstractmethod
    def size_bytes(self, name: str) -> int | None:
        """Give the size of a file: None where nothing is, -1 for what is not a regular file.

        Raises:
            OutputError: this user may not look.
        """

    @abstractmethod
    def names(self, folder: str) -> list[str]:
        """List the files of a folder in it, sorted; the list is empty if there is no folder."""

    @abstractmethod
    def present(self, names: list[str]) -> set[str]:
        """Choose those names at which there is something.

        Raises:
            OutputError: the names cannot be listed.
        """

    @abstractmethod
    def read(self, name: str) -> bytes | None:
        """Read a small file that a batch wrote; None where nothing is.

        Raises:
            OutputError: the file cannot be read.
        """

    @abstractmethod
    def write(self, name: str, content: bytes) -> None:
        """Write a small file of a batch, whole or not at all.

        Raises:
            OutputError: the file cannot be written.
        """

    @abstractmethod
    def remove(self, name: str) -> None:
        """Remove a file of a batch, and its folder if that is empty then."""

    @abstractmethod
    def journal(self) -> AbstractContextManager[Callable[[Row], None]]:
        """Open the journal, which keeps the rows of a batch until its report is written.

        Returns:
            A context that yields a function which adds a row, from any thread.

        Raises:
            OutputError: a row cannot be written.
        """

    def report_rows(self) -> dict[str, Row]:
        """Read the last row of each picture in the report of earlier runs.

        Raises:
            OutputError: the report cannot be read.
        """
        return rows_of(self.read(NAME) or b"")


class LocalFolder(Storage):
    """A folder of this machine, or one that all machines of a cluster share."""

    appends = True

    def __init__(self, root: str) -> None:
        self.root = root
        self._root = Path(root)

    def __getstate__(self) -> dict[str, object]:
        # Another process may have another working directory; messages keep the name as given.
        return {"root": self.root, "_root": self._root.absolute()}

    def path(self, name: str) -> Path:
        """Give the path of the file itself."""
        return self._root / name

    def without_copies(self, text: str) -> str:
        """Name files as the user named the folder, whatever this process calls it."""
        return text.replace(f"{self._root}/", f"{Path(self.root)}/")

    def identities(self, name: str) -> set[object]:
        """Give the real path, and device and inode: some disks do not tell capitals apart."""
        path = self.path(name)
        found: set[object] = {os.path.realpath(path)}
        with suppress(OSError):
            status = path.stat()
            if status.st_ino:
                found.add((status.st_dev, status.st_ino))
        return found

    def check_writable(self) -> None:
        """Check the rights of the folder, or of the nearest one that exists, and the report."""
        for path in (self._root, *self._root.parents):
            status = output_stat(path)
            if status is None:
                continue
            if not stat.S_ISDIR(status.st_mode):
                raise OutputError(f"cannot write to {self._root}: {path} is a file; name a folder")
            if not may_write(path):
                raise OutputError(
                    f"cannot write to {self._root}: Permission denied in {path}, or its disk is "
                    "read-only; name another folder"
                )
            break
        check_report(self.path(NAME))

    def fetch(self, name: str) -> None:
        """Check that the picture can be read where it lies."""
        check_input(self.path(name))

    def store(self, name: str) -> None:
        """Do nothing, since results are written in their place."""

    def make_folder(self, name: str) -> None:
        """Make the folder, unless it is one of our own and somebody put a link in its place."""
        folder = self.path(name).parent
        if folder.name.startswith(OWN) and folder.is_symlink():
            raise OutputError(f"cannot write into {folder}: it is a link; remove it")
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise OutputError(f"cannot make {folder}: {error.strerror}") from error

    def discard_copy(self, name: str) -> None:
        """Do nothing, since there are no copies."""

    def size_bytes(self, name: str) -> int | None:
        """Look at the file."""
        path = self.path(name)
        status = output_stat(path)
        if status is None:
            return None
        return status.st_size if path.is_file() else -1

    def names(self, folder: str) -> list[str]:
        """List the files of the folder."""
        here = self.path(folder)
        if not here.is_dir():
            return []
        return sorted(f"{folder}/{entry.name}" for entry in here.iterdir() if entry.is_file())

    def present(self, names: list[str]) -> set[str]:
        """Look at each; what this user may not look at counts as present."""
        return {name for name in names if self._is_present(name)}

    def _is_present(self, name: str) -> bool:
        try:
            self.path(name).stat()
        except (FileNotFoundError, NotADirectoryError):
            return False
        except OSError as error:
            return error.errno != ENAMETOOLONG  # no file can have a name that is too long
        return True

    def read(self, name: str) -> bytes | None:
        """Read the file; a pipe is refused, since reading it would wait for ever."""
        if self.size_bytes(name) == -1:
            raise OutputError(f"cannot read {self.path(name)}: it is no file; remove it")
        try:
            return self.path(name).read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise OutputError(f"cannot read {self.path(name)}: {error.strerror}") from error

    def write(self, name: str, content: bytes) -> None:
        """Write a temporary file and rename it."""
        self.make_folder(name)
        with whole_file(self.path(name)) as temporary:
            temporary.write_bytes(content)

    def remove(self, name: str) -> None:
        """Remove the file; what cannot be removed stays."""
        with suppress(OSError):
            self.path(name).unlink(missing_ok=True)
            if self.path(name).parent != self._root:
                self.path(name).parent.rmdir()

    def journal(self) -> AbstractContextManager[Callable[[Row], None]]:
        """Append rows to the report itself."""
        self.make_folder(NAME)
        return appended_rows(self.path(NAME))

    def report_rows(self) -> dict[str, Row]:
        """Read the report line by line, as it may be large."""
        try:
            return read_report(self.path(NAME))
        except OSError as error:
            raise OutputError(f"cannot read {self.path(NAME)}: {error.strerror}") from error
