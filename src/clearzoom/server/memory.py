"""Share the memory of a server's process among what it does at once."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from math import inf

from clearzoom.core.process_memory import give_back, machine_bytes
from clearzoom.server.error_answers import RefusedError
from clearzoom.server.locks import CancelCheck

BASE_BYTES = 400_000_000
"""What a process has without any work: Python, libraries, networks of one model, connections."""
LEAST_BYTES = 800_000_000
"""The least that a process does its work in."""
TILE_BYTES = 150_000_000
"""What a tile takes at its peak in the largest released network."""
_CACHE_SHARE, _MOST_CACHE_BYTES = 0.125, 256_000_000
_POLL_S = 0.05
_GIVEN_BACK_FROM_BYTES = 400_000_000
"""After smaller work the C library keeps the memory for the next; it is given back every 5 s."""


def default_bytes(processes: int) -> int:
    """Return what a server takes at most unless its owner states it: half of the machine's memory.

    Args:
        processes: how many share it; each gets what it needs at least.
    """
    return max(machine_bytes() // 2, LEAST_BYTES * processes)


def cache_bytes(memory_bytes: int) -> int:
    """Return how much of a process's memory holds tiles that were made.

    Args:
        memory_bytes: what the process may take.
    """
    return min(_MOST_CACHE_BYTES, int(memory_bytes * _CACHE_SHARE))


def work_bytes(memory_bytes: int) -> int:
    """Return how much of a process's memory is left for work.

    Args:
        memory_bytes: what the process may take.
    """
    return max(LEAST_BYTES - BASE_BYTES, memory_bytes - BASE_BYTES - cache_bytes(memory_bytes))


class Memory:
    """A part of the memory: work waits until there is enough for it.

    Args:
        limit_bytes: what all work may take together.
        whole: the memory that this is a part of.
    """

    def __init__(self, limit_bytes: int, whole: "Memory | None" = None) -> None:
        self.limit_bytes, self._whole = limit_bytes, whole
        self._used_bytes = 0
        self._changed = threading.Condition()

    @contextmanager
    def hold(self, need_bytes: int, check: CancelCheck, within_s: float = inf) -> Iterator[None]:
        """Wait until so much memory is free, and hold it.

        Args:
            need_bytes: what the work takes at its peak.
            check: is called while waiting.
            within_s: seconds to wait at most.

        Raises:
            RefusedError: 400 where all of the memory would not do, 503 where there was too little.
        """
        self.check(need_bytes)
        self._wait(need_bytes, check, within_s)
        try:
            with nullcontext() if self._whole is None else self._whole.hold(need_bytes, check):
                yield
        finally:
            if need_bytes >= _GIVEN_BACK_FROM_BYTES:
                give_back()
            with self._changed:
                self._used_bytes -= need_bytes
                self._changed.notify_all()

    def half(self) -> "Memory":
        """Return a half of this memory, for work that must leave the other half to others."""
        return Memory(self.limit_bytes // 2, self)

    def check(self, need_bytes: int) -> None:
        """Refuse work that takes more than all of the memory.

        Raises:
            RefusedError: 400.
        """
        if need_bytes > self.limit_bytes:
            raise RefusedError(
                400,
                f"that takes {need_bytes / 1e6:.0f} MB of memory, and this server has "
                f"{self.limit_bytes / 1e6:.0f} MB for it; ask for less",
            )

    def _wait(self, need_bytes: int, check: CancelCheck, within_s: float) -> None:
        until_s = time.monotonic() + within_s
        while True:
            with self._changed:
                if self._used_bytes + need_bytes <= self.limit_bytes:
                    self._used_bytes += need_bytes
                    return
                self._changed.wait(_POLL_S)
            check()
            if time.monotonic() > until_s:
                raise RefusedError(
                    503, "there is too little memory for that now; try again", retry_after_s=5
                )
