"""Where the pictures of a batch lie: a folder, or an object store reached by fsspec."""

from contextlib import suppress
from errno import ENAMETOOLONG
from pathlib import Path
from typing import Protocol

from clearzoom.errors import InputError, OutputError
from clearzoom.io.atomic import whole_file
from clearzoom.pipeline.paths import OWN, check_input, output_stat


class Place(Protocol):
    """A folder, here or elsewhere. Names in it are relative, with slashes.

    ``path`` is where a file lies, or its copy, for this process; it need not be there yet.
    """

    @property
    def root(self) -> str:
        """The folder, as it was named."""

    def path(self, name: str) -> Path:
        """Give the path at which this process reads or writes a file."""

    def said(self, text: str) -> str:
        """Name files in a message by their place, not by the copy."""

    def fetch(self, name: str) -> None:
        """Make sure that ``path`` has the content.

        Raises:
            MissingFileError: there is nothing.
            InputError: it cannot be read, or is no file.
        """

    def store(self, name: str) -> None:
        """Put what stands at ``path`` in its place, whole or not at all.

        Raises:
            OutputError: it cannot be written.
        """

    def make_room(self, name: str) -> None:
        """Make the folder of ``path``.

        Raises:
            OutputError: it cannot be made.
        """

    def forget(self, name: str) -> None:
        """Take the copy away, if it is one."""

    def size_bytes(self, name: str) -> int | None:
        """Give the size of a file; None where nothing is, -1 for what is no file.

        Raises:
            OutputError: this user may not look.
        """

    def names(self, folder: str) -> list[str]:
        """Give the files of a folder in it, sorted; none where it is not there."""

    def present(self, names: list[str]) -> set[str]:
        """Choose those names at which there is something.

        Raises:
            OutputError: this user may not look.
        """

    def read(self, name: str) -> bytes | None:
        """Read a small file of this job; None where nothing is.

        Raises:
            OutputError: it cannot be read.
        """

    def write(self, name: str, content: bytes) -> None:
        """Write a file of this job, whole or not at all.

        Raises:
            OutputError: it cannot be written.
        """

    def remove(self, name: str) -> None:
        """Take a file of this job away, with its folder if that is empty then."""


class Folder:
    """A folder of this machine, or one that all machines of a cluster share."""

    def __init__(self, root: str) -> None:
        self.root = root
        self._root = Path(root)

    def __getstate__(self) -> dict[str, object]:
        # Another process need not work where this one does; messages stay as they are here.
        return {"root": self.root, "_root": self._root.absolute()}

    def path(self, name: str) -> Path:
        """The file itself."""
        return self._root / name

    def said(self, text: str) -> str:
        """See ``Place``."""
        return text.replace(f"{self._root}/", f"{Path(self.root)}/")

    def fetch(self, name: str) -> None:
        """Look whether it can be a picture."""
        check_input(self.path(name))

    def store(self, name: str) -> None:
        """It is there already."""

    def make_room(self, name: str) -> None:
        """See ``Place``."""
        folder = self.path(name).parent
        if folder.name.startswith(OWN) and folder.is_symlink():  # somebody laid it there
            raise OutputError(f"cannot write into {folder}: it is a link; take it away")
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise OutputError(f"cannot make {folder}: {error.strerror}") from error

    def forget(self, name: str) -> None:
        """There is no copy."""

    def size_bytes(self, name: str) -> int | None:
        """See ``Place``."""
        path = self.path(name)
        found = output_stat(path)
        if found is None:
            return None
        return found.st_size if path.is_file() else -1

    def names(self, folder: str) -> list[str]:
        """See ``Place``."""
        here = self.path(folder)
        if not here.is_dir():
            return []
        return sorted(f"{folder}/{entry.name}" for entry in here.iterdir() if entry.is_file())

    def present(self, names: list[str]) -> set[str]:
        """See ``Place``."""
        return {name for name in names if self._is_present(name)}

    def _is_present(self, name: str) -> bool:
        try:
            return output_stat(self.path(name)) is not None
        except OutputError as error:
            if isinstance(error.__cause__, OSError) and error.__cause__.errno == ENAMETOOLONG:
                return False  # of a damaged report: nothing goes by such a name
            raise

    def read(self, name: str) -> bytes | None:
        """See ``Place``."""
        if self.size_bytes(name) == -1:  # a pipe would be waited for
            raise OutputError(f"cannot read {self.path(name)}: it is no file; take it away")
        try:
            return self.path(name).read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise OutputError(f"cannot read {self.path(name)}: {error.strerror}") from error

    def write(self, name: str, content: bytes) -> None:
        """See ``Place``."""
        self.make_room(name)
        with whole_file(self.path(name)) as temporary:
            temporary.write_bytes(content)

    def remove(self, name: str) -> None:
        """See ``Place``."""
        with suppress(OSError):
            self.path(name).unlink(missing_ok=True)
            if self.path(name).parent != self._root:
                self.path(name).parent.rmdir()


def place_of(text: str) -> Place:
    """Understand where pictures are, or shall go.

    Args:
        text: a path, or a URL that fsspec knows, like s3://bucket/scans.

    Raises:
        MissingExtraError: a URL, without the extra [ray].
        InputError: a URL of a kind that is not known, or of a store that cannot be reached.

    Example:
        >>> place_of("scans").path("a/1.png").as_posix()
        'scans/a/1.png'
    """
    scheme, separator, rest = text.partition("://")
    if not separator:
        return Folder(text)
    if scheme == "file":
        return Folder(rest)
    from clearzoom.batch.object_store import Remote

    if not rest.strip("/"):
        raise InputError(f"{text} names no folder; write it like s3://bucket/scans")
    return Remote(text)
