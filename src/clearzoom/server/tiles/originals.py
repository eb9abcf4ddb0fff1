"""Pictures that are read by region, at full size and at halves of it, in bounded memory."""

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import pyvips

from clearzoom.core.box import Box
from clearzoom.errors import FullDiskError, InputError
from clearzoom.io.atomic import whole_file
from clearzoom.io.libvips_errors import VIPS_ERRORS, unreadable, unwritable
from clearzoom.io.libvips_files import save, source_of, states
from clearzoom.io.loading import number_of, open_image, plain_image
from clearzoom.io.picture import Samples, colours_of
from clearzoom.io.reading import Source, open_picture, upright
from clearzoom.io.tiff_pages import main_page
from clearzoom.io.writing import interpretation
from clearzoom.server.locks import CancelCheck, KeyedLock
from clearzoom.server.tiles.cache import forget_oldest, remove

_SMALLEST_PX = 256
"""Halving ends where no side is longer."""
_TILE = {"tile": True, "tile_width": 256, "tile_height": 256, "bigtiff": True}
_PACKED = {"compression": "deflate", "level": 1, "predictor": "horizontal"}
_MOST_OPEN = 64


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
    """

    def __init__(self, folder: Path, disk_bytes: int, locks: KeyedLock) -> None:
        self._folder, self._disk_bytes, self._locks = folder, disk_bytes, locks
        self._open: OrderedDict[tuple[Path, int, int], Original] = OrderedDict()
        self._mutex = threading.Lock()

    def known(self, path: Path) -> Original | None:
        """Return a picture that is open already and did not change, or None."""
        with self._mutex:
            return self._open.get(_identity(path))

    def open(self, path: Path, max_pixels: int, check: CancelCheck) -> Original:
        """Open a picture; one that cannot be read by region is decoded to the disk once.

        Args:
            path: a file of a format that ``open_picture`` knows.
            max_pixels: larger pictures are refused.
            check: is called before each half is made.

        Raises:
            InputError: and its kinds, as ``open_picture`` raises them.
            OutputError: there is no room for the copy.
        """
        identity = _identity(path)
        with self._mutex:
            if identity in self._open:
                self._open.move_to_end(identity)
                return self._open[identity]
        source = open_picture(path, max_pixels=max_pixels)
        with path.open("rb") as file:
            sha256 = hashlib.file_digest(file, "sha256").hexdigest()
        with self._locks.hold(_lock_key(sha256), check):
            original = self._opened(source, sha256, check)
        with self._mutex:
            self._open[identity] = original
            while len(self._open) > _MOST_OPEN:
                self._open.popitem(last=False)
        return original

    def _opened(self, source: Source, sha256: str, check: CancelCheck) -> Original:
        folder = self._folder / sha256
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "used").touch()
        halves = _readable_by_region(source)
        if not halves:
            halves = [_copied(folder / "0.tif", source, partial(upright, source))]
        while max(halves[-1].width, halves[-1].height) > _SMALLEST_PX:
            check()
            copy = folder / f"{len(halves)}.tif"
            halves.append(_copied(copy, source, partial(_halved, halves[-1], source)))
        self._sweep(folder)
        return Original(source, sha256, tuple(halves))

    def _sweep(self, spared: Path) -> None:
        """Delete the least recently used copies; whoever has one open can still read it."""
        folders, spared_bytes = [], 0
        for used in self._folder.glob("*/used"):
            with suppress(OSError):
                size = sum(file.stat().st_size for file in used.parent.iterdir())
                if used.parent == spared:
                    spared_bytes = size
                else:
                    folders.append((used.stat().st_mtime, size, used.parent))
        forget_oldest(folders, self._disk_bytes - spared_bytes, self._delete)

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


def _identity(path: Path) -> tuple[Path, int, int]:
    try:
        state = path.stat()
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror}") from error
    return path, state.st_mtime_ns, state.st_size


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
