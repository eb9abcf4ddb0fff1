"""Files of an object store as they are now: their states, and parts or copies of one version."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from clearzoom.batch.object_blocks import BLOCK_BYTES, Blocks, ObjectParts
from clearzoom.batch.object_state import ObjectState, state_in
from clearzoom.batch.object_store import ObjectStore
from clearzoom.batch.store_errors import store_reason, unlisted
from clearzoom.errors import (
    ClearzoomError,
    FullDiskError,
    InputError,
    MissingFileError,
    StoreError,
)
from clearzoom.io.libvips_errors import is_full

_EXPIRED = "FileExpired"
"""The name of s3fs' error where a file has another version than the one that was opened."""


class ObjectVersions:
    """The files below a folder of an object store.

    Args:
        store: the folder.
    """

    def __init__(self, store: ObjectStore) -> None:
        self._store, self._blocks = store, Blocks()

    def states(self) -> dict[str, ObjectState]:
        """List all files below the folder, by name.

        Raises:
            StoreError: the folder cannot be listed.
        """
        store = self._store
        try:
            found = store.files.find(store.within, detail=True)
        except FileNotFoundError:
            return {}
        except Exception as error:  # each store has its own errors, which share no base
            raise unlisted(store.root, error) from error
        start = f"{store.within}/"
        return {
            name.removeprefix(start): state_in(facts)
            for name, facts in found.items()
            if name.startswith(start) and not name.endswith("/")
        }

    def state(self, name: str) -> ObjectState:
        """Ask for the state of a file.

        Raises:
            MissingFileError: the file does not exist.
            StoreError: it does not answer, or this user may not look.
        """
        with self._reading(name):
            return state_in(self._store.files.info(self._at(name)))

    @property
    def reads_one_version(self) -> bool:
        """Whether all parts of an open file are of one version, or cannot be read.

        s3fs can compare the version that each answer states.
        """
        return bool(getattr(self._store.files, "local_expiry_check", False))

    def open_parts(
        self, name: str, failed: Callable[[ClearzoomError], None] = lambda error: None
    ) -> ObjectParts:
        """Open a file of which only parts are needed.

        Args:
            name: of the file.
            failed: is called when the store does not give a part.

        Raises:
            MissingFileError: the file does not exist.
            StoreError: the file cannot be read.
        """
        with self._reading(name):
            file = self._store.files.open(self._at(name), "rb", BLOCK_BYTES, cache_type="none")
            details = getattr(file, "details", None) or self._store.files.info(self._at(name))
        state = state_in(details)
        identity = f"{self._store.root}/{name} {state.size_bytes} {state.version}"
        reading = partial(self._reading, name)
        return ObjectParts(file, state, identity, self._blocks, reading, failed)

    def copy(self, name: str, path: Path) -> ObjectState:
        """Download a file to a path, all of it from one version.

        Returns:
            The state of that version.

        Raises:
            MissingFileError: the file does not exist.
            FullDiskError: there is no room for it.
            StoreError: the file cannot be read.
            InputError: it changed meanwhile.
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
            if type(error).__name__ == _EXPIRED:
                raise InputError(f"{whole} changed while it was read; try again") from None
            if isinstance(error, OSError) and is_full(error):
                raise FullDiskError(f"no room for a copy of {whole}") from error
            raise StoreError(f"cannot read {whole}: {store_reason(error)}") from error

    def _at(self, name: str) -> str:
        return f"{self._store.within}/{name}"
