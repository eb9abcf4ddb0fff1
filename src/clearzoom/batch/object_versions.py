"""Files of an object store as they are now: their states, and parts or copies of one version."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, BinaryIO, cast

from clearzoom.batch.object_store import ObjectStore, store_reason
from clearzoom.errors import ClearzoomError, FullDiskError, InputError, MissingFileError
from clearzoom.io.libvips_errors import is_full

_TIMES, _TAGS = ("LastModified", "updated", "mtime", "created"), ("ETag", "etag", "md5Hash")
"""What stores call the time of the last change, and what differs after each."""
_BLOCK_BYTES, _MOST_BLOCKS = 2**17, 16


@dataclass(frozen=True)
class ObjectState:
    """What a store says of a file without reading it.

    Attributes:
        size_bytes: its size.
        changed_s: when it changed last, in s since 1970, or 0 where the store does not say so.
        version: differs after each change.
    """

    size_bytes: int
    changed_s: float
    version: str


class ObjectVersions:
    """The files below a folder of an object store.

    Args:
        store: the folder.
    """

    def __init__(self, store: ObjectStore) -> None:
        self._store = store

    def states(self) -> dict[str, ObjectState]:
        """List all files below the folder, by name.

        Raises:
            InputError: the folder cannot be listed.
        """
        store = self._store
        try:
            found = store.files.find(store.within, detail=True)
        except FileNotFoundError:
            return {}
        except Exception as error:  # each store has its own errors, which share no base
            raise InputError(f"cannot list {store.root}: {store_reason(error)}") from error
        start = f"{store.within}/"
        return {
            name.removeprefix(start): _state(facts)
            for name, facts in found.items()
            if name.startswith(start) and not name.endswith("/")
        }

    def state(self, name: str) -> ObjectState:
        """Ask for the state of a file.

        Raises:
            MissingFileError: the file does not exist.
            InputError: the store does not answer, or this user may not look.
        """
        with self._reading(name):
            return _state(self._store.files.info(self._at(name)))

    @contextmanager
    def opened(self, name: str) -> Iterator[BinaryIO]:
        """Open a file of which only parts are needed; they are read by ranges, in blocks.

        Raises:
            MissingFileError: the file does not exist.
            InputError: the file cannot be read.
        """
        options = {"cache_type": "blockcache", "cache_options": {"maxblocks": _MOST_BLOCKS}}
        with (
            self._reading(name),
            self._store.files.open(self._at(name), "rb", _BLOCK_BYTES, **options) as file,
        ):
            yield cast("BinaryIO", file)

    def copy(self, name: str, path: Path) -> ObjectState:
        """Download a file to a path, all of it from one version.

        Returns:
            The state of that version.

        Raises:
            MissingFileError: the file does not exist.
            FullDiskError: there is no room for it.
            InputError: the file cannot be read, or changed meanwhile.
        """
        before = self.state(name)
        with self._reading(name):
            self._store.files.get_file(self._at(name), str(path))
            is_whole = path.stat().st_size == before.size_bytes
        if not is_whole or self.state(name).version != before.version:
            raise InputError(f"{self._store.root}/{name} changed while it was read; try again")
        return before

    @contextmanager
    def _reading(self, name: str) -> Iterator[None]:
        whole = f"{self._store.root}/{name}"
        try:
            yield
        except ClearzoomError:
            raise
        except FileNotFoundError as error:
            raise MissingFileError(f"no file {whole}; check the name") from error
        except Exception as error:  # each store has its own errors, which share no base
            if isinstance(error, OSError) and is_full(error):
                raise FullDiskError(f"no room for a copy of {whole}") from error
            raise InputError(f"cannot read {whole}: {store_reason(error)}") from error

    def _at(self, name: str) -> str:
        return f"{self._store.within}/{name}"


def _state(facts: Mapping[str, Any]) -> ObjectState:
    changed = next((facts[key] for key in _TIMES if facts.get(key)), 0.0)
    seconds = changed.timestamp() if isinstance(changed, datetime) else changed
    seconds = float(seconds) if isinstance(seconds, int | float) else 0.0
    tag = next((facts[key] for key in _TAGS if facts.get(key)), changed)
    return ObjectState(int(facts["size"]), seconds, str(tag).strip('"'))
