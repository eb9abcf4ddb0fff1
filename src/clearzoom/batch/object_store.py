"""A folder of an object store, or whatever else fsspec reaches; files are worked on as copies."""

from contextlib import suppress
from pathlib import Path

from clearzoom.batch.staging import staging_folder
from clearzoom.errors import InputError, MissingExtraError, MissingFileError, OutputError
from clearzoom.io.names import START_BYTES


class Remote:
    """A folder behind a URL. An object appears whole: a put ends with one, or with nothing.

    Credentials and endpoints are those of the environment of each process, e.g. AWS_ENDPOINT_URL.
    """

    def __init__(self, root: str) -> None:
        try:
            import fsspec
        except ImportError as error:
            raise MissingExtraError(f"{root.partition(':')[0]}://", "ray") from error
        try:
            # What was listed before must not hide what other machines write.
            self.files, found = fsspec.core.url_to_fs(root, use_listings_cache=False)
        except ImportError as error:
            if root.startswith("s3:"):
                raise MissingExtraError("s3://", "ray") from error
            raise InputError(f"cannot reach {root}: {error}") from error  # it names the package
        except ValueError as error:
            raise InputError(f"cannot understand {root}: {error}") from error
        except Exception as error:  # some connect at once; their errors share no base
            raise InputError(f"cannot reach {root}: {_reason(error)}") from error
        self.root = root.rstrip("/")
        self.within = str(found).rstrip("/")
        self._copies = staging_folder("copies")

    def __getstate__(self) -> str:
        return self.root

    def __setstate__(self, root: str) -> None:
        self.__init__(root)  # type: ignore[misc]

    def path(self, name: str) -> Path:
        """The copy."""
        return self._copies / name

    def said(self, text: str) -> str:
        """See ``Place``."""
        return text.replace(str(self._copies), self.root)

    def fetch(self, name: str) -> None:
        """See ``Place``."""
        if self.path(name).is_file():  # it is being kept
            return
        self.make_room(name)
        part = self.path(f"{name}.part")
        try:
            self.files.get_file(self._at(name), str(part))
            part.replace(self.path(name))
        except FileNotFoundError as error:
            raise MissingFileError(f"no file {self.root}/{name}; check the name") from error
        except Exception as error:  # of any store; they share no base
            raise InputError(f"cannot read {self.root}/{name}: {_reason(error)}") from error

    def store(self, name: str) -> None:
        """See ``Place``."""
        try:
            self.files.put_file(str(self.path(name)), self._at(name))
        except Exception as error:  # likewise
            raise self._unwritable(name, error) from error

    def make_room(self, name: str) -> None:
        """See ``Place``."""
        try:
            self.path(name).parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise OutputError(f"no room for a copy of {self.root}/{name}: {error}") from error

    def forget(self, name: str) -> None:
        """See ``Place``."""
        self.path(name).unlink(missing_ok=True)

    def size_bytes(self, name: str) -> int | None:
        """See ``Place``."""
        try:
            found = self.files.info(self._at(name))
        except FileNotFoundError:
            return None
        except Exception as error:  # likewise
            raise self._unwritable(name, error) from error
        return int(found["size"]) if found["type"] == "file" else None

    def names(self, folder: str) -> list[str]:
        """See ``Place``."""
        return sorted(f"{folder}/{name}" for name in self.tree(folder, recursive=False))

    def present(self, names: list[str]) -> set[str]:
        """See ``Place``; one listing of all."""
        try:
            return set(names) & set(self.tree(recursive=True))
        except InputError as error:
            raise OutputError(str(error)) from error

    def tree(self, folder: str = "", *, recursive: bool) -> list[str]:
        """Give the files below a folder, relative to it, sorted.

        Raises:
            InputError: it cannot be listed.
        """
        at = self._at(folder) if folder else self.within
        try:
            found = self.files.find(at, maxdepth=None if recursive else 1)
        except FileNotFoundError:
            return []
        except Exception as error:  # likewise
            raise InputError(f"cannot list {self.root}: {_reason(error)}") from error
        # A store may have an object of the folder's own name, and names end in / for empty folders.
        return sorted(
            name.removeprefix(f"{at}/")
            for name in found
            if name.startswith(f"{at}/") and not name.endswith("/")
        )

    def folders(self) -> list[str]:
        """Give the folders right in this one, sorted.

        Raises:
            InputError: it cannot be listed.
        """
        try:
            found = self.files.ls(self.within, detail=True)
        except FileNotFoundError:
            return []
        except Exception as error:  # likewise
            raise InputError(f"cannot list {self.root}: {_reason(error)}") from error
        names = (str(each["name"]).rstrip("/") for each in found if each["type"] == "directory")
        return sorted(name.removeprefix(f"{self.within}/") for name in names)

    def start(self, name: str) -> bytes:
        """Give the first bytes of a file: what says whether it is a picture.

        Raises:
            InputError: it cannot be read.
        """
        try:
            return bytes(self.files.cat_file(self._at(name), start=0, end=START_BYTES))
        except Exception as error:  # likewise
            raise InputError(f"cannot read {self.root}/{name}: {_reason(error)}") from error

    def read(self, name: str) -> bytes | None:
        """See ``Place``."""
        try:
            return bytes(self.files.cat_file(self._at(name)))
        except FileNotFoundError:
            return None
        except Exception as error:  # likewise
            raise OutputError(f"cannot read {self.root}/{name}: {_reason(error)}") from error

    def write(self, name: str, content: bytes) -> None:
        """See ``Place``."""
        try:
            self.files.pipe_file(self._at(name), content)
        except Exception as error:  # likewise
            raise self._unwritable(name, error) from error

    def remove(self, name: str) -> None:
        """See ``Place``."""
        with suppress(Exception):  # what is left over is named in docs/scale.md
            self.files.rm_file(self._at(name))

    def _at(self, name: str) -> str:
        return f"{self.within}/{name}"

    def _unwritable(self, name: str, error: Exception) -> OutputError:
        return OutputError(f"cannot write {self.root}/{name}: {_reason(error)}")


def _reason(error: Exception) -> str:
    return str(error) or type(error).__name__
