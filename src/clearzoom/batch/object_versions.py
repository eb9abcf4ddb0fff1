"""Files of an object store as they are now: their states, and parts or copies of one version."""

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO

from clearzoom.batch.object_store import ObjectStore, store_reason
from clearzoom.errors import ClearzoomError, FullDiskError, InputError, MissingFileError
from clearzoom.io.libvips_errors import is_full
from clearzoom.io.parts import Parts

_TIMES, _TAGS = ("LastModified", "updated", "mtime", "created"), ("ETag", "etag", "md5Hash")
"""What stores call the time of the last change, and what differs after each."""
_BLOCK_BYTES, _MOST_BLOCKS = 2**17, 16
"""What is read at once, and how many of these a file that is read part by part keeps in memory."""


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


class ObjectParts:
    """A file of an object store that is read part by part, by ranges.

    Args:
        file: the open file.
        reading: a context that turns the store's errors into ours.
        state: the state of the file.
        identity: differs for each file, and after each change.

    Attributes:
        parts: the file; each of its readings may raise InputError or MissingFileError.
        failure: why the store did not give a part; None as long as it gave all.
    """

    def __init__(
        self,
        file: BinaryIO,
        reading: Callable[[], AbstractContextManager[None]],
        state: ObjectState,
        identity: str,
    ) -> None:
        self._file, self._reading, self._mutex = file, reading, threading.Lock()
        self.state, self.identity = state, identity
        self.parts = Parts(self._read_at, state.size_bytes)
        self.failure: ClearzoomError | None = None

    def close(self) -> None:
        """Close the file; nothing more can be read."""
        with suppress(Exception):  # of any store
            self._file.close()

    def _read_at(self, offset: int, size: int) -> bytes:
        try:
            with self._reading(), self._mutex:
                self._file.seek(offset)
                return self._file.read(size)
        except ClearzoomError as error:
            self.failure = error.with_message(str(error))  # without what its frames hold
            raise


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

    @property
    def reads_one_version(self) -> bool:
        """Whether all parts of an open file are of one version, or cannot be read.

        That is so where each request names the version that it means, as s3fs does.
        """
        protocol = self._store.files.protocol
        return "s3" in ((protocol,) if isinstance(protocol, str) else protocol)

    def parts(self, name: str) -> ObjectParts:
        """Open a file of which only parts are needed.

        Raises:
            MissingFileError: the file does not exist.
            InputError: the file cannot be read.
        """
        cache = {"cache_type": "blockcache", "cache_options": {"maxblocks": _MOST_BLOCKS}}
        with self._reading(name):
            file = self._store.files.open(self._at(name), "rb", _BLOCK_BYTES, **cache)
            is_pinned = self.reads_one_version
            state = _state(file.details if is_pinned else self._store.files.info(self._at(name)))
        identity = f"{self._store.root}/{name} {state.size_bytes} {state.version}"
        return ObjectParts(file, partial(self._reading, name), state, identity)

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
