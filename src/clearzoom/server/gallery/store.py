"""Pictures of an object store: stand-ins for all of them here, and copies of those in use."""

import logging
import os
import secrets
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from functools import lru_cache
from pathlib import Path, PurePosixPath

from clearzoom.batch.object_blocks import ObjectParts
from clearzoom.batch.object_state import ObjectState
from clearzoom.batch.object_versions import ObjectVersions
from clearzoom.errors import ClearzoomError, FullDiskError, InputError, MissingFileError
from clearzoom.io.atomic import whole_file
from clearzoom.io.names import START_BYTES, is_picture_name, may_be_picture
from clearzoom.io.parts import Parts
from clearzoom.io.reading import Source
from clearzoom.server.file_states import FileState, state_of
from clearzoom.server.gallery.circuit_breaker import CircuitBreaker
from clearzoom.server.gallery.headers import header_of, missing
from clearzoom.server.gallery.owner_file import NAME
from clearzoom.server.gallery.store_header import header_by_ranges, of_each_picture
from clearzoom.server.gallery.store_names import changed_ns, digest_of, is_shown_name, watermarks_in
from clearzoom.server.gallery.store_options import store_of
from clearzoom.server.locks import CancelCheck, KeyedLock
from clearzoom.server.settings import ServeSettings
from clearzoom.server.tiles.cache import USED, forget_oldest, note_use, remove, used_folders
from clearzoom.server.tiles.tiled_tiff import is_pyramid_in_tiles

REFRESHED_EVERY_S = 30.0
_OWN = ".clearzoom-"
_ARRIVING = "arriving-"
_STAMP, _TEMPORARY = f"{_OWN}refreshed", f"{_OWN}new-"
_COPIES_SHARE = 0.25
"""Share of the cache for copies of pictures as they are in the store."""
_SMALL_BYTES = 262_144
"""A smaller file is copied at once; its header alone would take as long."""
_LEAST_BYTES_IN_PARTS = 16_000_000
"""A smaller pyramid is copied at once, by one request instead of many."""
_MOST_OWNERS_BYTES = 10_000_000
"""Bound of a clearzoom.toml, and of the image of a watermark."""
_TRIES = 3
"""How often a picture that changes meanwhile is opened; then it is copied."""
_ABANDONED_AFTER_S = 3600.0
_log = logging.getLogger("clearzoom.server")


class PictureStore:
    """A folder of an object store, as a folder of this machine that names the same pictures.

    Each picture has a stand-in in ``tree``: an empty file of its size, whose time changes with each
    version. So whatever lists and finds pictures needs no network. What an owner states, in
    ``clearzoom.toml`` and images of watermarks, is there in full. A copy of a picture is made when
    somebody opens it.

    Args:
        settings: with ``store``, its address. ``folder`` holds the stand-ins, for all processes.
            The copies are in the cache, also for later runs.
        locks: let one thread of all processes make each copy.

    Raises:
        MissingExtraError: what reads the store is not installed.
        InputError: the kind of URL is unknown, or the store cannot be reached.
    """

    def __init__(self, settings: ServeSettings, locks: KeyedLock) -> None:
        self._url, self._tree = (settings.store or "").rstrip("/"), settings.folder
        self._copies, self._locks = settings.cache / "objects", locks
        self.copies_bytes = int(settings.cache_bytes * _COPIES_SHARE)
        self._files = ObjectVersions(store_of(self._url))
        self._by_ranges = lru_cache(maxsize=16_384)(self._read_ranges)
        self._is_in_parts = lru_cache(maxsize=16_384)(self._look_for_tiles)
        self._breaker = CircuitBreaker()
        self._tree.mkdir(parents=True, exist_ok=True)

    def refresh(self) -> None:
        """Make the stand-ins agree with the store.

        Raises:
            MissingFileError: nothing is there, and nothing ever was.
            InputError: the store cannot be listed or read, or a ``clearzoom.toml`` is too large.
        """
        states = {
            name: state for name, state in self._files.states().items() if is_shown_name(name)
        }
        if not states and not (self._tree / _STAMP).exists():
            raise MissingFileError(f"no files in {self._url}; check the name")
        listed = {name for name in states if is_picture_name(name) or may_be_picture(name)}
        settings = [name for name in states if PurePosixPath(name).name == NAME]
        for name in settings:
            if states[name].size_bytes > _MOST_OWNERS_BYTES:  # it might close a folder
                most = f"{_MOST_OWNERS_BYTES:,} bytes"
                raise InputError(f"{self._url}/{name} has more than {most}; make it smaller")
            self._place(name, states[name], whole=True)
            listed.add(name)
        for image in {each for name in settings for each in watermarks_in(self._tree, name)}:
            if image in states and states[image].size_bytes <= _MOST_OWNERS_BYTES:
                self._place(image, states[image], whole=True)
                listed.add(image)
        for name in listed:
            self._place(name, states[name], whole=False)
        for root, _, files in os.walk(self._tree):
            for path in (Path(root) / file for file in files if not file.startswith(_OWN)):
                if path.relative_to(self._tree).as_posix() not in listed:
                    path.unlink(missing_ok=True)
        (self._tree / _STAMP).touch()

    def refresh_in_time(self) -> None:
        """Refresh unless another process did so; a store that does not answer changes nothing."""
        with self._locks.hold(f"refresh {self._tree}", lambda: None):
            stamp = self._tree / _STAMP
            if stamp.exists() and time.time() - stamp.stat().st_mtime < REFRESHED_EVERY_S / 2:
                return
            try:
                self.refresh()
            except (ClearzoomError, OSError) as error:
                _log.warning("the pictures stay as they were listed: %s", error)

    def header(self, stand_in: Path, max_pixels: int) -> Source:
        """Read what a picture's header states; it is remembered until the picture changes.

        Args:
            stand_in: the picture.
            max_pixels: larger pictures are refused.

        Raises:
            InputError: and its kinds, as ``open_picture`` raises them.
            RefusedError: 503, the store does not give it.
        """
        copy = self.copy_of(stand_in)
        try:
            state = state_of(stand_in)
            if copy is None and state[-1] > _SMALL_BYTES:
                header = self._by_ranges(stand_in, state, max_pixels)
                if header is not None:
                    return header
        except FileNotFoundError:
            raise missing() from None
        copy = copy or self.copied(stand_in, lambda: None)
        try:
            return header_of(copy, max_pixels, None)
        except ClearzoomError as error:
            raise error.with_message(str(error).replace(str(copy), str(stand_in))) from None

    def read_headers(self, max_pixels: int) -> None:
        """Read all headers, several at a time, so that each is known when it is asked for."""
        of_each_picture(self._tree, lambda stand_in: self.header(stand_in, max_pixels))

    def copy_of(self, stand_in: Path) -> Path | None:
        """Return the copy of a picture, if it is there, and note that it is in use."""
        try:
            copy = self._place_of(stand_in)
        except OSError:
            return None
        return copy if note_use(copy.parent / USED) and copy.is_file() else None

    def copied(self, stand_in: Path, check: CancelCheck) -> Path:
        """Return the copy of a picture; it is made where it is missing.

        Args:
            stand_in: the picture.
            check: is called while another thread makes the same copy.

        Raises:
            MissingFileError: the picture is no longer there.
            FullDiskError: there is no room for the copy, although all others were deleted.
            RefusedError: 503, the store does not give it.
        """
        name = stand_in.relative_to(self._tree).as_posix()
        try:
            with self._locks.hold(f"copy {self._url}/{name}", check):
                copy = self.copy_of(stand_in)
                if copy is None:
                    with self._breaker.call():
                        copy = self._copy(name, stand_in)
                return copy
        except (FileNotFoundError, MissingFileError):
            stand_in.unlink(missing_ok=True)
            raise missing() from None

    def open_parts(self, stand_in: Path) -> ObjectParts | None:
        """Open a large pyramid of tiles, which is not copied; None of any other picture.

        Args:
            stand_in: the picture; it is changed to that of the version that is now in the store.

        Raises:
            MissingFileError: the picture is no longer there.
            RefusedError: 503, the store does not give it.
        """
        name = stand_in.relative_to(self._tree).as_posix()
        try:
            for _ in range(_TRIES if self._files.reads_one_version else 0):
                state = state_of(stand_in)
                if state[-1] < _LEAST_BYTES_IN_PARTS or not self._is_in_parts(stand_in, state):
                    break
                with self._breaker.call():
                    opened = self._files.open_parts(name, self._breaker.record)
                    self._place(name, opened.state, whole=False)
                if state_of(stand_in) == state:
                    return opened
        except (FileNotFoundError, MissingFileError):
            stand_in.unlink(missing_ok=True)
            raise missing() from None
        return None

    def make_room(self) -> None:
        """Delete all copies, because the disk is full; pictures in use are copied again."""
        self._sweep(0)

    def _copy(self, name: str, stand_in: Path) -> Path:
        size_bytes = stand_in.stat().st_size
        self._sweep(max(0, self.copies_bytes - size_bytes))
        try:
            return self._downloaded(name, stand_in)
        except FullDiskError:
            self._sweep(0)
            return self._downloaded(name, stand_in)

    def _downloaded(self, name: str, stand_in: Path) -> Path:
        # Into a folder of its own first, since the version is known for certain only afterwards.
        arriving = self._copies / f"{_ARRIVING}{digest_of(f'{self._url}/{name}')}" / stand_in.name
        arriving.parent.mkdir(parents=True, exist_ok=True)
        try:
            with whole_file(arriving) as temporary:
                state = self._files.copy(name, temporary)
            self._place(name, state, whole=False)
            copy = self._place_of(stand_in)
            copy.parent.mkdir(exist_ok=True)
            (copy.parent / USED).touch()
            arriving.replace(copy)
        finally:
            remove(arriving.parent)
        return copy

    def _read_ranges(self, stand_in: Path, state: FileState, max_pixels: int) -> Source | None:
        # Where nothing is found, the copy that follows says why.
        with suppress(MissingFileError), self._opened_parts(stand_in) as parts:
            return header_by_ranges(parts, stand_in, max_pixels)
        return None

    def _look_for_tiles(self, stand_in: Path, state: FileState) -> bool:
        with self._opened_parts(stand_in) as parts:
            return is_pyramid_in_tiles(parts, stand_in)

    @contextmanager
    def _opened_parts(self, stand_in: Path) -> Iterator[Parts]:
        name = stand_in.relative_to(self._tree).as_posix()
        with self._breaker.call(), closing(self._files.open_parts(name)) as opened:
            yield opened.parts
            if opened.failure is not None:  # libvips took it for damage
                raise opened.failure

    def _place(self, name: str, state: ObjectState, *, whole: bool) -> None:
        """Make a stand-in of a state, or with ``whole`` a copy, unless it is there."""
        path, known = self._tree / name, [changed_ns(state, whole=True)]
        known += [] if whole else [changed_ns(state)]
        with suppress(OSError):
            found = path.stat()
            if found.st_size == state.size_bytes and found.st_mtime_ns in known:
                return
        temporary = path.with_name(f"{_TEMPORARY}{secrets.token_hex(8)}")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            temporary.touch()
            if whole:
                state = self._files.copy(name, temporary)
            elif may_be_picture(name):
                with closing(self._files.open_parts(name)) as opened:
                    temporary.write_bytes(opened.parts.read(START_BYTES))
            os.truncate(temporary, state.size_bytes)
            at_ns = changed_ns(state, whole=whole)
            os.utime(temporary, ns=(at_ns, at_ns))
            temporary.replace(path)
        except MissingFileError:
            pass  # it vanished since it was listed
        except (NotADirectoryError, FileExistsError, IsADirectoryError):
            pass  # a store can have a file and a folder of one name
        finally:
            with suppress(OSError):
                temporary.unlink(missing_ok=True)

    def _place_of(self, stand_in: Path) -> Path:
        """Return where the copy of a picture is, or shall be."""
        state = stand_in.stat()
        name = stand_in.relative_to(self._tree).as_posix()
        key = f"{self._url}/{name} {state.st_size} {state.st_mtime_ns}"
        return self._copies / digest_of(key) / stand_in.name

    def _sweep(self, most_bytes: float) -> None:
        """Delete the least recently used copies; whoever has one open can still read it."""
        forget_oldest(used_folders(self._copies), most_bytes)
        for arriving in self._copies.glob(f"{_ARRIVING}*"):  # perhaps of a process that was killed
            with suppress(OSError):
                written_s = max(file.stat().st_mtime for file in (arriving, *arriving.iterdir()))
                if time.time() - written_s > _ABANDONED_AFTER_S:
                    remove(arriving)
