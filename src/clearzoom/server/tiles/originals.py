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
from clearzoom.errors import InputError
from clearzoom.io.atomic import whole_file
from clearzoom.io.libvips_errors import VIPS_ERRORS, unreadable, unwritable
from clearzoom.io.libvips_files import save, source_of, states
from clearzoom.io.loading import number_of, open_image, plain_image
from clearzoom.io.picture import Samples, colours_of
from clearzoom.io.reading import Source, open_picture, upright
from clearzoom.io.tiff_pages import main_page
from clearzoom.io.writing import interpretation
from clearzoom.server.locks import Turns
from clearzoom.server.tiles.oldest import forget_oldest, remove

_SMALLEST_PX = 256
"""Halving ends where both sides are no longer."""
_TILE = {"tile": True, "tile_width": 256, "tile_height": 256, "bigtiff": True}
_PACKED = {"compression": "deflate", "level": 1, "predictor": "horizontal"}
_KEPT_OPEN = 64


@dataclass(frozen=True)
class Original:
    """A picture that was opened. ``halves[k]`` is 2**k times smaller, sides rounded up."""

    source: Source
    sha256: str
    halves: tuple[pyvips.Image, ...]

    @property
    def colours(self) -> int:
        """Channels without alpha."""
        return colours_of(self.source.channels, cmyk=self.source.cmyk)

    def region(self, half: int, box: Box) -> Samples:
        """Decode a part.

        Args:
            half: which of the halves.
            box: inside of it.

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
    """Opens pictures, each once, and keeps a tiled copy of what cannot be read by region."""

    def __init__(self, folder: Path, disk_bytes: int, turns: Turns) -> None:
        self._folder, self._disk_bytes, self._turns = folder, disk_bytes, turns
        self._open: OrderedDict[tuple[Path, int, int], Original] = OrderedDict()
        self._mutex = threading.Lock()

    def known(self, path: Path) -> Original | None:
        """Give a picture that is open already and did not change."""
        with self._mutex:
            return self._open.get(_identity(path))

    def open(self, path: Path, max_pixels: int, wanted: Callable[[], None]) -> Original:
        """Open a picture; what must be decoded whole is, once, to the disk.

        Args:
            path: of a format that ``open_picture`` knows.
            max_pixels: larger ones are refused.
            wanted: raises where nobody waits any more.

        Raises:
            InputError: and its kinds, as ``open_picture`` says.
            OutputError: no room for the copy.
        """
        identity = _identity(path)
        with self._mutex:
            if identity in self._open:
                self._open.move_to_end(identity)
                return self._open[identity]
        source = open_picture(path, max_pixels=max_pixels)
        with path.open("rb") as file:
            sha256 = hashlib.file_digest(file, "sha256").hexdigest()
        with self._turns.alone(_turn_of(sha256), wanted):
            original = self._opened(source, sha256, wanted)
        with self._mutex:
            self._open[identity] = original
            while len(self._open) > _KEPT_OPEN:
                self._open.popitem(last=False)
        return original

    def _opened(self, source: Source, sha256: str, wanted: Callable[[], None]) -> Original:
        folder = self._folder / sha256
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "used").touch()
        halves = _readable_by_region(source)
        if not halves:
            halves = [_copied(folder / "0.tif", source, partial(upright, source))]
        while max(halves[-1].width, halves[-1].height) > _SMALLEST_PX:
            wanted()
            copy = folder / f"{len(halves)}.tif"
            halves.append(_copied(copy, source, partial(_halved, halves[-1], source)))
        self._sweep(folder)
        return Original(source, sha256, tuple(halves))

    def _sweep(self, kept: Path) -> None:
        """Take away the copies that were not used for longest; who has them open keeps them."""
        folders, kept_bytes = [], 0
        for used in self._folder.glob("*/used"):
            with suppress(OSError):
                size = sum(file.stat().st_size for file in used.parent.iterdir())
                if used.parent == kept:
                    kept_bytes = size
                else:
                    folders.append((used.stat().st_mtime, size, used.parent))
        forget_oldest(folders, self._disk_bytes - kept_bytes, self._take_away)

    def _take_away(self, folder: Path) -> None:
        """Remove a picture's copies, unless one is being made or opened now."""
        with suppress(_BusyError), self._turns.alone(_turn_of(folder.name), _is_busy):
            remove(folder)


class _BusyError(Exception):
    """Another has the turn."""


def _is_busy() -> None:
    raise _BusyError


def _turn_of(sha256: str) -> str:
    return f"decode {sha256}"


def _identity(path: Path) -> tuple[Path, int, int]:
    try:
        found = path.stat()
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror}") from error
    return path, found.st_mtime_ns, found.st_size


def _readable_by_region(source: Source) -> list[pyvips.Image]:
    """The file itself, where it is a tiled TIFF, and its own halves, where it is a pyramid."""
    if source.kind != "TIFF":
        return []
    image, _ = open_image(source.path)
    if not states(image, "tile-width"):
        return []
    turned = number_of(image, "orientation", 1) != 1
    with source.path.open("rb") as file:
        pages = 1 if turned else main_page(file, source.path).halves
    halves = [image.autorot(), *(open_image(source.path, page=page)[0] for page in range(1, pages))]
    return [plain_image(half, source.path, keep_cmyk=source.cmyk)[0] for half in halves]


def _halved(image: pyvips.Image, source: Source) -> pyvips.Image:
    if not source.has_alpha:
        return image.shrink(2, 2, ceil=True).rint().cast(image.format)
    most = 65_535 if source.deep else 255
    smaller = image.premultiply(max_alpha=most).shrink(2, 2, ceil=True)
    return smaller.unpremultiply(max_alpha=most).rint().cast(image.format)


def _copied(path: Path, source: Source, make: Callable[[], pyvips.Image]) -> pyvips.Image:
    """A tiled copy in a file, which is made unless it is there."""
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
    """A damaged source and a full disk end in the same place."""
    asked = unwritable(path, temporary, error)
    return asked if "is full" in str(asked) else unreadable(source.path, error)


def _open_copy(path: Path) -> pyvips.Image:
    with path.open("rb") as file:
        return pyvips.Image.new_from_source(source_of(file), "")
