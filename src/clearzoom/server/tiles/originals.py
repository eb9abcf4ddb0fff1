"""Pictures that are read by region, at full size and at halves of it, in bounded memory."""

import hashlib
import os
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TypeVar

import numpy as np
import pyvips

from clearzoom.core.box import Box
from clearzoom.errors import ClearzoomError, FullDiskError, InputError, UnreadablePictureError
from clearzoom.io.atomic import whole_file
from clearzoom.io.libvips_errors import VIPS_ERRORS, is_full, unreadable, unwritable
from clearzoom.io.libvips_files import save, source_of, states
from clearzoom.io.loading import number_of, open_image, plain_image
from clearzoom.io.picture import Samples, colours_of
from clearzoom.io.reading import Source, open_picture, upright
from clearzoom.io.tiff_pages import main_page
from clearzoom.io.writing import interpretation
from clearzoom.server.file_states import FileState, state_of
from clearzoom.server.locks import CancelCheck, KeyedLock
from clearzoom.server.memory import Memory
from clearzoom.server.opening import opening_bytes
from clearzoom.server.tiles.cache import forget_oldest, remove

_SMALLEST_PX = 256
"""Halving ends where no side is longer."""
_TILE = {"tile": True, "tile_width": 256, "tile_height": 256, "bigtiff": True}
_PACKED = {"compression": "deflate", "level": 1, "predictor": "horizontal"}
_MOST_OPEN, _MOST_KNOWN = 64, 1024
_USED = "used"
"""Empty file in the folder of a picture's copies; its time is that of their last use."""
_WHOLE = "whole"
"""Empty file that is there once all copies were made."""
_TOUCH_AFTER_S = 60.0
_Identity = tuple[Path, FileState]
T = TypeVar("T")


@dataclass(frozen=True)
class Original:
    """An open picture.

    Attributes:
        source: what its header states.
        sha256: hash of the file.
        halves: ``halves[k]`` is the picture 2**k times smaller, sides rounded up.
    """

    source: Source
    sha256: str
    halves: tuple[pyvips.Image, ...]

    @property
    def colours(self) -> int:
        """Number of channels without alpha."""
        return colours_of(self.source.channels, cmyk=self.source.cmyk)

    def region(self, half: int, box: Box) -> Samples:
        """Decode a part of a half.

        Args:
            half: index of the half.
            box: the part, inside of the half.

        Returns:
            (H, W, C) uint8 or uint16, the picture's own levels.

        Raises:
            UnreadablePictureError: the file is damaged there.
        """
        image = self.halves[half]
        try:
            part = image.crop(box.left, box.top, box.width, box.height).numpy()
        except VIPS_ERRORS as error:
            raise unreadable(self.source.path, error) from error
        return np.asarray(part).reshape(box.height, box.width, self.source.channels)


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
        self._mutex = threading.Lock()

    def known(self, path: Path) -> Original | None:
        """Return a picture that is open already and did not change, or None."""
        identity = _identity(path)
        with self._mutex:
            original = self._open.get(identity)
            if original is not None:
                self._open.move_to_end(identity)
        if original is not None and not _used_again(self._folder / original.sha256):
            self.forget_deleted()
            return None
        return original

    def open(self, path: Path, max_pixels: int, check: CancelCheck) -> Original:
        """Open a picture; one that cannot be read by region is decoded to the disk once.

        Args:
            path: a file of a format that ``open_picture`` knows.
            max_pixels: larger pictures are refused.
            check: is called before each half is made.

        Raises:
            InputError: and its kinds, as ``open_picture`` raises them.
            FullDiskError: there is no room for the copy, although all others were deleted.
        """
        known = self.known(path)
        if known is not None:
            return known
        identity = _identity(path)
        with self._mutex:
            damage = self._damaged.get(identity)
        if damage is not None:  # to decode it again up to there would take as long each time
            raise damage.with_message(str(damage))
        source = open_picture(path, max_pixels=max_pixels)
        with path.open("rb") as file:
            sha256 = hashlib.file_digest(file, "sha256").hexdigest()
        with self._locks.hold(_lock_key(sha256), check):
            try:
                original = self._opened_with_room(source, sha256, check)
            except UnreadablePictureError as error:
                self._remember(self._damaged, identity, error.with_message(str(error)), _MOST_KNOWN)
                raise
            if _identity(path) != identity:  # the copy may have px of both
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
                if not (self._folder / original.sha256 / _USED).exists():
                    del self._open[identity]

    def _remember(
        self, known: OrderedDict[_Identity, T], identity: _Identity, value: T, most: int
    ) -> None:
        with self._mutex:
            known[identity] = value
            while len(known) > most:
                known.popitem(last=False)

    def _opened_with_room(self, source: Source, sha256: str, check: CancelCheck) -> Original:
        folder = self._folder / sha256
        try:
            try:
                return self._opened(source, sha256, check)
            except (FullDiskError, OSError) as error:
                if isinstance(error, OSError) and not is_full(error):
                    raise
            self._sweep(folder, 0)
            self._make_room()
            return self._opened(source, sha256, check)
        except (ClearzoomError, OSError):
            remove(folder)
            raise

    def _opened(self, source: Source, sha256: str, check: CancelCheck) -> Original:
        folder = self._folder / sha256
        folder.mkdir(parents=True, exist_ok=True)
        (folder / _USED).touch()
        halves = _readable_by_region(source)
        with self._memory_for(folder, source, check):
            if not halves:
                # From the top down, so that no decoder holds the whole picture.
                make = partial(upright, source, sequential=True)
                halves = [_copied(folder / "0.tif", source, make)]
            while max(halves[-1].width, halves[-1].height) > _SMALLEST_PX:
                check()
                copy = folder / f"{len(halves)}.tif"
                halves.append(_copied(copy, source, partial(_halved, halves[-1], source)))
        (folder / _WHOLE).touch()
        self._sweep(folder, self._disk_bytes)
        return Original(source, sha256, tuple(halves))

    def _memory_for(
        self, folder: Path, source: Source, check: CancelCheck
    ) -> AbstractContextManager[None]:
        if self._memory is None or (folder / _WHOLE).exists():
            return nullcontext()
        return self._memory.hold(opening_bytes(source), check)

    def _sweep(self, spared: Path | None, most_bytes: int) -> None:
        """Delete the least recently used copies; whoever has one open can still read it."""
        folders, spared_bytes = [], 0
        for used in self._folder.glob(f"*/{_USED}"):
            with suppress(OSError):
                size = sum(file.stat().st_size for file in used.parent.iterdir())
                if used.parent == spared:
                    spared_bytes = size
                else:
                    folders.append((used.stat().st_mtime, size, used.parent))
        forget_oldest(folders, most_bytes - spared_bytes, self._delete)
        self.forget_deleted()

    def _delete(self, folder: Path) -> None:
        """Delete a picture's copies, unless one is being made or opened now."""
        with suppress(_BusyError), self._locks.hold(_lock_key(folder.name), _give_up):
            remove(folder)


class _BusyError(Exception):
    """Another thread or process holds the lock."""


def _give_up() -> None:
    raise _BusyError


def _lock_key(sha256: str) -> str:
    return f"decode {sha256}"


def _identity(path: Path) -> _Identity:
    try:
        return path, state_of(path)
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror}") from error


def _used_again(folder: Path) -> bool:
    """Note that a picture's copies are in use, once a minute; return whether they are there."""
    used = folder / _USED
    try:
        if time.time() - used.stat().st_mtime > _TOUCH_AFTER_S:
            os.utime(used)
    except FileNotFoundError:
        return False
    return True


def _readable_by_region(source: Source) -> list[pyvips.Image]:
    """List a tiled TIFF itself and, where it is a pyramid, its own halves; else nothing."""
    if source.kind != "TIFF":
        return []
    image, _ = open_image(source.path)
    if not states(image, "tile-width"):
        return []
    rotated = number_of(image, "orientation", 1) != 1
    with source.path.open("rb") as file:
        pages = 1 if rotated else main_page(file, source.path).halves
    halves = [image.autorot(), *(open_image(source.path, page=page)[0] for page in range(1, pages))]
    return [plain_image(half, source.path, keep_cmyk=source.cmyk)[0] for half in halves]


def _halved(image: pyvips.Image, source: Source) -> pyvips.Image:
    if not source.has_alpha:
        return image.shrink(2, 2, ceil=True).rint().cast(image.format)
    opaque = 65_535 if source.deep else 255
    smaller = image.premultiply(max_alpha=opaque).shrink(2, 2, ceil=True)
    return smaller.unpremultiply(max_alpha=opaque).rint().cast(image.format)


def _copied(path: Path, source: Source, make: Callable[[], pyvips.Image]) -> pyvips.Image:
    """Open the tiled copy in a file, which is made first where it is missing."""
    if not path.is_file():
        try:
            image = make()
            with whole_file(path) as temporary:
                try:
                    save(image, temporary, keep="none", **_TILE, **_PACKED)
                except VIPS_ERRORS as error:
                    raise _why(path, temporary, source, error) from error
        except VIPS_ERRORS as error:
            raise unreadable(source.path, error) from error
    kind = interpretation(np.empty((1, 1, source.channels), source.dtype), cmyk=source.cmyk)
    return _open_copy(path).copy(interpretation=kind)


def _why(path: Path, temporary: Path, source: Source, error: pyvips.Error) -> Exception:
    """Tell a damaged source from a full disk: libvips raises the same error for both."""
    failure = unwritable(path, temporary, error)
    return failure if isinstance(failure, FullDiskError) else unreadable(source.path, error)


def _open_copy(path: Path) -> pyvips.Image:
    with path.open("rb") as file:
        return pyvips.Image.new_from_source(source_of(file), "")
