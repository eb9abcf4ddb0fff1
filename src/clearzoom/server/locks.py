"""Locks by key, among the threads of this process and among processes."""

import hashlib
import os
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

try:
    import fcntl
except ImportError:  # Windows: there two processes may compute the same tile, to the same end
    fcntl = None  # type: ignore[assignment]

CancelCheck = Callable[[], None]
"""Raises where nobody waits for the result any more; long work calls it between its steps."""

_POLL_S = 0.02


class KeyedLock:
    """A lock for each key, held by one thread of all processes at a time.

    Among processes each key is a byte range of one file. The locks belong to an open file, not to a
    process, and end when the process dies. Where a system has only locks of the other kind, none
    are taken: what two processes compute twice is equal.

    Args:
        file: the file whose ranges are locked; it is made where it is missing.
    """

    def __init__(self, file: Path) -> None:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch()
        self._file = file
        self._locks: dict[str, tuple[threading.Lock, int]] = {}
        self._mutex = threading.Lock()

    @contextmanager
    def hold(self, key: str, check: CancelCheck) -> Iterator[None]:
        """Wait until nobody else holds the lock of a key, and hold it.

        Args:
            key: names what is made under the lock.
            check: is called while waiting.
        """
        with self._mutex:
            lock, users = self._locks.get(key, (threading.Lock(), 0))
            self._locks[key] = lock, users + 1
        try:
            while not lock.acquire(timeout=_POLL_S):
                check()
            try:
                yield from self._hold_among_processes(key, check)
            finally:
                lock.release()
        finally:
            with self._mutex:
                lock, users = self._locks.pop(key)
                if users > 1:
                    self._locks[key] = lock, users - 1

    def _hold_among_processes(self, key: str, check: CancelCheck) -> Iterator[None]:
        descriptor = os.open(self._file, os.O_RDWR)
        try:
            while not _lock_range(descriptor, key):
                check()
                time.sleep(_POLL_S)
            yield
        finally:
            os.close(descriptor)


def _lock_range(descriptor: int, key: str) -> bool:
    if fcntl is None or not hasattr(fcntl, "F_OFD_SETLK"):
        return True
    start = int.from_bytes(hashlib.sha256(key.encode()).digest()[:7], "big")
    # struct flock: type, whence, start, length, process (0 for locks of an open file).
    request = struct.pack("hhqqi4x", fcntl.F_WRLCK, os.SEEK_SET, start, 1, 0)
    try:
        fcntl.fcntl(descriptor, fcntl.F_OFD_SETLK, request)
    except (BlockingIOError, PermissionError):
        return False
    return True
