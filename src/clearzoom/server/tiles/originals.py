"""Pictures that are read by region, at full size and at halves of it, in bounded memory."""

import hashlib
import logging
import shutil
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext, suppress
from functools import partial
from pathlib import Path
from typing import TypeVar

from clearzoom.batch.object_blocks import ObjectParts
from clearzoom.errors import ClearzoomError, FullDiskError, InputError, UnreadablePictureError
from clearzoom.io.libvips_errors import is_full
from clearzoom.io.parts import Parts
from clearzoom.io.reading import Source, open_picture, upright
from clearzoom.server.file_states import FileState, has_files_left, state_of
from clearzoom.server.locks import CancelCheck, KeyedLock
from clearzoom.server.memory import Memory
from clearzoom.server.opening import opening_bytes
from clearzoom.server.tiles.cache import USED, forget_oldest, note_use, remove, used_folders
from clearzoom.server.tiles.original import Original, check_complete, store_errors_as_503
from clearzoom.server.tiles.tiled_copies import copied, halved
from clearzoom.server.tiles.tiled_tiff import readable_by_region

_SMALLEST_PX = 256
"""Halving ends where no side is longer."""
_MOST_OPEN, _MOST_KNOWN = 64, 1024
_WHOLE = "whole"
"""Empty file that is there once all copies were made."""
_FILES_OF_PICTURE = 16
_FULL_S = 30.0
"""How long a picture is refused that the disk had no room for, unless some room came back."""
_ROOM_AGAIN = 0.25
"""How much must come back before the picture is copied again, as a share of its decoded px."""
_log = logging.getLogger("clearzoom.server")
_Identity = tuple[Path, FileState, int | None]
T = TypeVar("T")


class Originals:
    """Opens each picture once, and stores a tiled copy of what cannot be read by region.

    Args:
        folder: holds the copies.
        disk_bytes: bound of all copies.
        locks: let one thread of all processes make each copy.
        make_room: deletes what else the server can do without, where the disk is full.
        memory: holds the memory in which copies are made; None where there is enough.
    """

    def __init__(
        self,
        folder: Path,
        disk_bytes: int,
        locks: KeyedLock,
        make_room: Callable[[], None] = lambda: None,
        memory: Memory | None = None,
    ) -> None:
        self._folder, self._disk_bytes, self._locks = folder, disk_bytes, locks
        self._make_room, self._memory = make_room, memory
        self._open: OrderedDict[_Identity, Original] = OrderedDict()
        self._damaged: OrderedDict[_Identity, UnreadablePictureError] = OrderedDict()
        self._too_large: OrderedDict[_Identity, tuple[float, float]] = OrderedDict()
        self._mutex = threading.Lock()

    def known(
        self, path: Path, page: int | None = None, *, also_failed: bool = False
    ) -> Original | None:
        """Return a picture that is open already and did not change, or None.

        Args:
            path: its file.
            page: which picture of a TIFF with several is meant, from 1.
            also_failed: whether it may be one that its store did not give all parts of; answers
                that are in the cache can still be given.
        """
        identity = _identity(path, page)
        with self._mutex:
            original = self._open.get(identity)
            # libvips may keep what it took for damage, so such a picture is opened again.
            if original is not None and original.is_failed and not also_failed:
                return None
            if original is not None:
                self._open.move_to_end(identity)
        if original is not None and not note_use(self._folder / original.sha256 / USED):
            self.forget_deleted()
            return None
        return original

    def open(
        self,
        path: Path,
        max_pixels: int,
        check: CancelCheck,
        page: int | None = None,
        remote: ObjectParts | None = None,
    ) -> Original:
        """Open a picture; one that cannot be read by region is decoded to the disk once.

        Args:
            path: a file of a format that ``open_picture`` knows.
            max_pixels: larger pictures are refused.
            check: is called before each half is made.
            page: which picture of a TIFF with several is meant, from 1.
            remote: a pyramid of tiles that is not at the path, which then only stands for it.

        Raises:
            InputError: and its kinds, as ``open_picture`` raises them.
            FullDiskError: there is no room for the copy, although all others were deleted.
            RefusedError: 503, the store does not give a part of it.
        """
        known = self.known(path, page)
        if known is not None:
            return known
        identity = _identity(path, page)
        with self._mutex:
            damage = self._damaged.get(identity)
            full_until_s, enough_bytes = self._too_large.get(identity, (0.0, 0.0))
        # To decode it again up to there would take as long each time.
        if damage is not None:
            raise damage.with_message(str(damage))
        if time.monotonic() < full_until_s and self._free_bytes() < enough_bytes:
            raise FullDiskError(f"the disk of {self._folder} has no room for a copy of {path}")
        with store_errors_as_503(remote):
            source = open_picture(path, max_pixels=max_pixels, page=page, parts=_parts_of(remote))
        sha256 = _sha256_of(path) if remote is None else _sha256(remote.identity)
        if page is not None:
            sha256 = _sha256(f"{sha256} page {page}")
        with self._locks.hold(_lock_key(sha256), check):
            try:
                with store_errors_as_503(remote):
                    original = self._opened_with_room(source, sha256, check, remote)
            except UnreadablePictureError as error:
                if has_files_left(_FILES_OF_PICTURE):
                    damage = error.with_message(str(error))
                    self._remember(self._damaged, identity, damage, _MOST_KNOWN)
                raise
            except FullDiskError:
                enough_bytes = self._free_bytes() + _ROOM_AGAIN * source.raw_bytes
                until_s = time.monotonic() + _FULL_S
                self._remember(self._too_large, identity, (until_s, enough_bytes), _MOST_KNOWN)
                raise
            if remote is None and _identity(path, page) != identity:  # the copy may have px of both
                remove(self._folder / sha256)
                raise UnreadablePictureError(f"{path} changed while it was read; try again")
        self._remember(self._open, identity, original, _MOST_OPEN)
        return original

    def make_room(self) -> None:
        """Delete all copies, because the disk is full; pictures in use are copied again."""
        self._sweep(None, 0)

    def forget_deleted(self) -> None:
        """Close the pictures whose copies were deleted: only then the disk has their room again."""
        with self._mutex:
            for identity, original in list(self._open.items()):
                if not (self._folder / original.sha256 / USED).exists():
                    del self._open[identity]

    def _remember(
        self, known: OrderedDict[_Identity, T], identity: _Identity, value: T, most: int
    ) -> None:
        with self._mutex:
            known[identity] = value
            while len(known) > most:
                known.popitem(last=False)

    def _opened_with_room(
        self, source: Source, sha256: str, check: CancelCheck, remote: ObjectParts | None
    ) -> Original:
        folder = self._folder / sha256
        try:
            try:
                return self._opened(source, sha256, check, remote)
            except (FullDiskError, OSError) as error:
                if isinstance(error, OSError) and not is_full(error):
                    raise
            _log.warning("the disk of %s is full: copies and tiles are deleted", self._folder)
            self._free(folder, source.raw_bytes * 4 // 3)
            self._make_room()
            return self._opened(source, sha256, check, remote)
        except (ClearzoomError, OSError):
            remove(folder)
            raise

    def _opened(
        self, source: Source, sha256: str, check: CancelCheck, remote: ObjectParts | None
    ) -> Original:
        folder = self._folder / sha256
        folder.mkdir(parents=True, exist_ok=True)
        (folder / USED).touch()
        halves = readable_by_region(source, _parts_of(remote))
        with self._memory_for(folder, source, check):
            if not halves and remote is None:
                # From the top down, so that no decoder holds the whole picture.
                make = partial(upright, source, sequential=True)
                halves = [copied(folder / "0.tif", source, make)]
            while max(halves[-1].width, halves[-1].height) > _SMALLEST_PX:
                check()
                copy = folder / f"{len(halves)}.tif"
                make = partial(halved, halves[-1], source)
                halves.append(copied(copy, source, make, partial(check_complete, remote)))
        (folder / _WHOLE).touch()
        self._sweep(folder, self._disk_bytes)
        return Original(source, sha256, tuple(halves), remote)

    def _memory_for(
        self, folder: Path, source: Source, check: CancelCheck
    ) -> AbstractContextManager[None]:
        if self._memory is None or (folder / _WHOLE).exists():
            return nullcontext()
        return self._memory.hold(opening_bytes(source), check)

    def _free(self, spared: Path, need_bytes: int) -> None:
        """Delete the least recently used copies until the disk has some room."""
        remove(spared)
        lacking = need_bytes - self._free_bytes()
        held = sum(size for _, size, _ in used_folders(self._folder))
        self._sweep(None, max(0, held - lacking))

    def _free_bytes(self) -> int:
        place = self._folder if self._folder.exists() else self._folder.parent
        return shutil.disk_usage(place).free

    def _sweep(self, spared: Path | None, most_bytes: int) -> None:
        """Delete the least recently used copies; whoever has one open can still read it."""
        stored = used_folders(self._folder)
        others = [each for each in stored if each[2] != spared]
        spared_bytes = sum(size for _, size, folder in stored if folder == spared)
        forget_oldest(others, most_bytes - spared_bytes, self._delete)
        self.forget_deleted()

    def _delete(self, folder: Path) -> None:
        """Delete a picture's copies, unless one is being made or opened now."""
        with suppress(_BusyError), self._locks.hold(_lock_key(folder.name), _give_up):
            remove(folder)


def _parts_of(remote: ObjectParts | None) -> Parts | None:
    return None if remote is None else remote.parts


def _sha256_of(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


class _BusyError(Exception):
    """Another thread or process holds the lock."""


def _give_up() -> None:
    raise _BusyError


def _lock_key(sha256: str) -> str:
    return f"decode {sha256}"


def _identity(path: Path, page: int | None) -> _Identity:
    try:
        return path, state_of(path), page
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror}") from error
