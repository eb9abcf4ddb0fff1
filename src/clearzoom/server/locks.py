"""One at a time for each key, among the threads of this process and among processes."""

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

_LOOK_EVERY_S = 0.02


class Turns:
    """A lock for each key. Those of processes are byte ranges of one file.

    They belong to an open file, not to a process (where a system knows only the other kind, none
    are taken: what is computed twice is equal), and go when their process dies.
    """

    def __init__(self, file: Path) -> None:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch()
        self._file = file
        self._locks: dict[str, tuple[threading.Lock, int]] = {}
        self._mutex = threading.Lock()

    @contextmanager
    def alone(self, key: str, wanted: Callable[[], None]) -> Iterator[None]:
        """Wait until no other has this key, and have it.

        Args:
            key: what is made.
            wanted: called while waiting; raises where nobody waits for the result any more.
        """
        with self._mutex:
            lock, users = self._locks.get(key, (threading.Lock(), 0))
            self._locks[key] = lock, users + 1
        try:
            while not lock.acquire(timeout=_LOOK_EVERY_S):
                wanted()
            try:
                yield from self._alone_among_processes(key, wanted)
            finally:
                lock.release()
        finally:
            with self._mutex:
                lock, users = self._locks.pop(key)
                if users > 1:
                    self._locks[key] = lock, users - 1

    def _alone_among_processes(self, key: str, wanted: Callable[[], None]) -> Iterator[None]:
        descriptor = os.open(self._file, os.O_RDWR)
        try:
            while not _locked(descriptor, key):
                wanted()
                time.sleep(_LOOK_EVERY_S)
            yield
        finally:
            os.close(descriptor)


def _locked(descriptor: int, key: str) -> bool:
    if fcntl is None or not hasattr(fcntl, "F_OFD_SETLK"):
        return True
    place = int.from_bytes(hashlib.sha256(key.encode()).digest()[:7], "big")
    asked = struct.pack("hhqqi4x", fcntl.F_WRLCK, os.SEEK_SET, place, 1, 0)
    try:
        fcntl.fcntl(descriptor, fcntl.F_OFD_SETLK, asked)
    except (BlockingIOError, PermissionError):
        return False
    return True
