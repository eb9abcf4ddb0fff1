"""A bounded cache in memory and on disk, and the removal of what was used least recently."""

import hashlib
import logging
import os
import shutil
import threading
import time
import zlib
from collections import OrderedDict
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path

from clearzoom.io.libvips_errors import is_full

_CHECKSUM_BYTES = 4
_SWEEP_EVERY = 20
"""This process sweeps the disk each time it has written a twentieth of the bound."""
_SWEPT_TO = 0.9
_TOUCH_AFTER_S = 60.0
USED = "used"
"""Empty file in a folder of copies; its time is that of their last use."""
_COMPLAINS_EVERY_S = 30.0
_log = logging.getLogger("clearzoom.server")


class Cache:
    """A cache of tiles and answers, in memory and in files that processes and later runs share.

    Entries that were used most recently stay longest. A damaged file counts as missing.

    Args:
        folder: holds the files.
        memory_bytes: bound of what this process holds in memory.
        disk_bytes: bound of the files of all processes.
    """

    def __init__(self, folder: Path, memory_bytes: int, disk_bytes: int) -> None:
        self._folder = folder
        self._memory_bytes, self._disk_bytes = memory_bytes, disk_bytes
        self._memory: OrderedDict[str, bytes] = OrderedDict()
        self._held_bytes = 0
        self._unswept_bytes = disk_bytes  # at the first write: an earlier server left some
        self._quiet_until_s = 0.0
        self._mutex = threading.Lock()

    def get(self, key: str) -> bytes | None:
        """Return the bytes of a key, or None."""
        with self._mutex:
            if key in self._memory:
                self._memory.move_to_end(key)
                return self._memory[key]
        path = self._path(key)
        try:
            stored = path.read_bytes()
        except OSError:
            return None
        content = stored[_CHECKSUM_BYTES:]
        if stored[:_CHECKSUM_BYTES] != _checksum(content):
            return None
        note_use(path)
        self._hold(key, content)
        return content

    def put(self, key: str, content: bytes) -> None:
        """Store the bytes of a key; where the disk is full, they are in memory alone."""
        self._hold(key, content)
        path = self._path(key)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            # Renamed, the file is whole for others; the checksum finds what a power failure spoils.
            temporary = path.with_name(f"{path.name}.{os.getpid()}.{threading.get_ident()}")
            try:
                temporary.write_bytes(_checksum(content) + content)
                temporary.replace(path)
            finally:
                temporary.unlink(missing_ok=True)
        except OSError as error:
            self._complain(error)
            return
        with self._mutex:
            self._unswept_bytes += len(content)
            due = self._unswept_bytes > self._disk_bytes / _SWEEP_EVERY
            if due:
                self._unswept_bytes = 0
        if due:
            self.sweep()

    def _complain(self, error: OSError) -> None:
        """Log an error at most once in 30 s; where the disk is full, delete half of the files."""
        with self._mutex:
            if time.monotonic() < self._quiet_until_s:
                return
            self._quiet_until_s = time.monotonic() + _COMPLAINS_EVERY_S
        _log.warning("the cache cannot be written: %s", error)
        if is_full(error):
            self.make_room()

    def make_room(self) -> None:
        """Delete the less recently used half of the files, because the disk is full."""
        files = self._files()
        forget_oldest(files, sum(size for _, size, _ in files) / 2)

    def sweep(self) -> None:
        """Delete the least recently used files until the disk holds less than its bound."""
        files = self._files()
        if sum(size for _, size, _ in files) > self._disk_bytes * (1 - 1 / _SWEEP_EVERY):
            forget_oldest(files, self._disk_bytes * _SWEPT_TO)

    def _files(self) -> list[tuple[float, int, Path]]:
        files = []
        for path in self._folder.glob("??/*"):
            with suppress(OSError):
                state = path.stat()
                files.append((state.st_mtime, state.st_size, path))
        return files

    def _hold(self, key: str, content: bytes) -> None:
        with self._mutex:
            self._held_bytes -= len(self._memory.pop(key, b""))
            if len(content) > self._memory_bytes:
                return
            self._memory[key] = content
            self._held_bytes += len(content)
            while self._held_bytes > self._memory_bytes:
                self._held_bytes -= len(self._memory.popitem(last=False)[1])

    def _path(self, key: str) -> Path:
        name = hashlib.sha256(key.encode()).hexdigest()
        return self._folder / name[:2] / name[2:]


def _checksum(content: bytes) -> bytes:
    return zlib.crc32(content).to_bytes(_CHECKSUM_BYTES, "big")


def remove(path: Path) -> None:
    """Delete a file or a folder, if that is possible."""
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        with suppress(OSError):
            path.unlink()


def used_folders(root: Path) -> list[tuple[float, int, Path]]:
    """List the folders of copies that hold the file ``used``, as ``forget_oldest`` wants them.

    Args:
        root: the folder that they are in.
    """
    folders = []
    for used in root.glob(f"*/{USED}"):
        with suppress(OSError):
            size = sum(file.stat().st_size for file in used.parent.iterdir())
            folders.append((used.stat().st_mtime, size, used.parent))
    return folders


def note_use(path: Path) -> bool:
    """Set a file's time to now, at most once a minute; return whether it is there."""
    try:
        if time.time() - path.stat().st_mtime > _TOUCH_AFTER_S:
            os.utime(path)
    except OSError:
        return False
    return True


def forget_oldest(
    stored: Iterable[tuple[float, int, Path]],
    most_bytes: float,
    delete: Callable[[Path], None] = remove,
) -> None:
    """Delete files or folders, the least recently used first, until the rest is small enough.

    Args:
        stored: for each the time of its last use, its size in bytes and its path.
        most_bytes: bound of the rest.
        delete: deletes one of them.
    """
    oldest_first = sorted(stored)
    total = sum(size for _, size, _ in oldest_first)
    for _, size, path in oldest_first:
        if total <= most_bytes:
            break
        delete(path)
        total -= size
