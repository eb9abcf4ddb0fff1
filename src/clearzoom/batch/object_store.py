"""A folder of an object store, or of whatever else fsspec reaches; pictures are copied here."""

import re
from collections.abc import Callable
from contextlib import AbstractContextManager, suppress
from pathlib import Path

from clearzoom.batch.journal import journalled_rows
from clearzoom.batch.report import Row
from clearzoom.batch.staging import staging_folder
from clearzoom.batch.storage import LocalFolder, Storage
from clearzoom.batch.store_errors import store_reason, unlisted, unreadable_object
from clearzoom.errors import (
    InputError,
    MissingExtraError,
    MissingFileError,
    OutputError,
    StoreError,
)
from clearzoom.io.names import START_BYTES

_ONE_SLASH = re.compile(r"[a-z][a-z0-9]+:/")
"""How a misspelt address begins; Windows' drives have one letter."""


class ObjectStore(Storage):
    """A folder behind a URL. An object appears whole: a put ends with one, or with nothing.

    Each process takes credentials and endpoints from its environment, e.g. AWS_ENDPOINT_URL.

    Args:
        root: the folder's URL.
        options: of the file system of fsspec; a pickled store loses them.
    """

    appends = False

    def __init__(self, root: str, **options: object) -> None:
        try:
            import fsspec
        except ImportError as error:
            raise MissingExtraError(f"{root.partition(':')[0]}://", "s3") from error
        try:
            # What was listed before must not hide what other machines write.
            self.files, found = fsspec.core.url_to_fs(root, use_listings_cache=False, **options)
        except ImportError as error:
            if root.startswith("s3:"):
                raise MissingExtraError("s3://", "s3") from error
            raise InputError(f"cannot reach {root}: {error}") from error  # it names the package
        except ValueError as error:
            raise InputError(f"cannot understand {root}: {error}") from error
        except Exception as error:  # some connect at once; their errors share no base
            raise StoreError(f"cannot reach {root}: {store_reason(error)}") from error
        self.root = root.rstrip("/")
        self.within = str(found).rstrip("/")
        self._copies = staging_folder("copies")

    def __getstate__(self) -> str:
        return self.root

    def __setstate__(self, root: str) -> None:
        self.__init__(root)  # type: ignore[misc]

    def path(self, name: str) -> Path:
        """Give the path of the copy."""
        return self._copies / name

    def without_copies(self, text: str) -> str:
        """Put the URL in the place of the folder of copies."""
        return text.replace(str(self._copies), self.root)

    def identities(self, name: str) -> set[object]:
        """Give the URL."""
        return {f"{self.root}/{name}"}

    def check_writable(self) -> None:
        """Do nothing: only a put shows what this user may write."""

    def fetch(self, name: str) -> None:
        """Download the picture, unless its copy is there."""
        if self.path(name).is_file():
            return
        self.make_folder(name)
        part = self.path(f"{name}.part")
        try:
            self.files.get_file(self._at(name), str(part))
            part.replace(self.path(name))
        except FileNotFoundError as error:
            raise MissingFileError(f"no file {self.root}/{name}; check the name") from error
        except Exception as error:  # each store has its own errors, which share no base
            raise unreadable_object(f"{self.root}/{name}", error) from error

    def store(self, name: str) -> None:
        """Upload the result."""
        try:
            self.files.put_file(str(self.path(name)), self._at(name))
        except Exception as error:  # of any store
            raise self._unwritable(name, error) from error

    def make_folder(self, name: str) -> None:
        """Make the folder of the copy."""
        try:
            self.path(name).parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise OutputError(f"no room for a copy of {self.root}/{name}: {error}") from error

    def discard_copy(self, name: str) -> None:
        """Remove the copy."""
        self.path(name).unlink(missing_ok=True)

    def size_bytes(self, name: str) -> int | None:
        """Ask the store."""
        try:
            found = self.files.info(self._at(name))
        except FileNotFoundError:
            return None
        except Exception as error:  # of any store
            raise self._unwritable(name, error) from error
        return int(found["size"]) if found["type"] == "file" else None

    def names(self, folder: str) -> list[str]:
        """List the objects with this prefix."""
        return sorted(f"{folder}/{name}" for name in self.tree(folder, recursive=False))

    def present(self, names: list[str]) -> set[str]:
        """List all objects once."""
        try:
            return set(names) & set(self.tree(recursive=True))
        except InputError as error:
            raise OutputError(str(error)) from error

    def tree(self, folder: str = "", *, recursive: bool) -> list[str]:
        """List the files below a folder, relative to it, sorted.

        Raises:
            StoreError: the folder cannot be listed.
        """
        at = self._at(folder) if folder else self.within
        try:
            found = self.files.find(at, maxdepth=None if recursive else 1)
        except FileNotFoundError:
            return []
        except Exception as error:  # of any store
            raise unlisted(self.root, error) from error
        # A store may have an object of the folder's own name, and names end in / for empty folders.
        return sorted(
            name.removeprefix(f"{at}/")
            for name in found
            if name.startswith(f"{at}/") and not name.endswith("/")
        )

    def folders(self) -> list[str]:
        """List the folders directly in this one, sorted.

        Raises:
            StoreError: the folder cannot be listed.
        """
        try:
            found = self.files.ls(self.within, detail=True)
        except FileNotFoundError:
            return []
        except Exception as error:  # of any store
            raise unlisted(self.root, error) from error
        names = (str(each["name"]).rstrip("/") for each in found if each["type"] == "directory")
        return sorted(name.removeprefix(f"{self.within}/") for name in names)

    def why_empty(self) -> str:
        """Return a likely reason for finding no picture here, or an empty text."""
        bucket = self.within.partition("/")[0]
        with suppress(Exception):  # of any store; an empty folder is the likely reason
            if self.files.isfile(self.within):
                folder = self.root.rpartition("/")[0]
                return f"it is one object; name the folder that it is in, {folder}"
            if self.root.startswith("s3:") and not self.files.exists(bucket):
                return f"there is no bucket {bucket}; check the name"
        return ""

    def start(self, name: str) -> bytes:
        """Read the first bytes of a file, which say whether it is a picture.

        Raises:
            StoreError: the file cannot be read.
        """
        try:
            return bytes(self.files.cat_file(self._at(name), start=0, end=START_BYTES))
        except Exception as error:  # of any store
            raise unreadable_object(f"{self.root}/{name}", error) from error

    def read(self, name: str) -> bytes | None:
        """Get the object."""
        try:
            return bytes(self.files.cat_file(self._at(name)))
        except FileNotFoundError:
            return None
        except Exception as error:  # of any store
            raise OutputError(f"cannot read {self.root}/{name}: {store_reason(error)}") from error

    def write(self, name: str, content: bytes) -> None:
        """Put the object."""
        try:
            self.files.pipe_file(self._at(name), content)
        except Exception as error:  # of any store
            raise self._unwritable(name, error) from error

    def remove(self, name: str) -> None:
        """Delete the object; what stays is named in docs/scale.md."""
        with suppress(Exception):
            self.files.rm_file(self._at(name))

    def journal(self) -> AbstractContextManager[Callable[[Row], None]]:
        """Put rows in objects of many rows each, since an object cannot grow."""
        return journalled_rows(self)

    def _at(self, name: str) -> str:
        return f"{self.within}/{name}"

    def _unwritable(self, name: str, error: Exception) -> OutputError:
        return OutputError(f"cannot write {self.root}/{name}: {store_reason(error)}")


def storage_of(text: str) -> Storage:
    """Open the folder that a path or a URL names.

    Args:
        text: a path, or a URL that fsspec knows, like s3://bucket/scans.

    Raises:
        MissingExtraError: text is a URL, and the extra [s3] is not installed.
        InputError: the kind of URL is unknown, or s3:// has a password.
        StoreError: the store cannot be reached.

    Example:
        >>> storage_of("scans").path("a/1.png").as_posix()
        'scans/a/1.png'
    """
    scheme, separator, rest = text.partition("://")
    if not separator:
        if _ONE_SLASH.match(text) and not Path(text).exists():
            raise InputError(f"there is no {text}; an address is written like s3://bucket/scans")
        return LocalFolder(text)
    if scheme == "file":
        return LocalFolder(rest)
    if not rest.strip("/"):
        raise InputError(f"{text} names no folder; write it like s3://bucket/scans")
    if scheme == "s3" and "@" in rest.partition("/")[0]:
        raise InputError(
            "an address with a password would be shown, and s3:// takes none; set "
            "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
        )
    return ObjectStore(text)
