"""Turns of jobs, a tile each; jobs give way to viewers, who wait for a tile."""

import threading
import time
from collections import deque
from collections.abc import Callable

from clearzoom.server.locks import CancelCheck

_CHECK_EVERY_S = 0.1
_GIVES_WAY_S = 1.0
"""A job gives way for at most this long before each tile, so that viewers only slow it down."""
_POLL_VIEWERS_EVERY_S = 0.02


class FairTurns:
    """Turns of jobs: after each of its tiles a job waits until all others had a turn.

    Args:
        viewers_wait: returns whether answers for viewers wait or are being made.
    """

    def __init__(self, viewers_wait: Callable[[], bool]) -> None:
        self._viewers_wait = viewers_wait
        self._queue: deque[object] = deque()
        self._changed = threading.Condition()

    def wait(self, job: object, check: CancelCheck) -> None:
        """End the turn of a job, and wait for its next.

        Args:
            job: the job.
            check: is called while waiting.
        """
        self.leave(job)
        self._give_way(check)
        with self._changed:
            self._queue.append(job)
        try:
            while not self._has_turn(job):
                check()
        except BaseException:
            self.leave(job)
            raise

    def leave(self, job: object) -> None:
        """Take a job out of the queue, so that the others do not wait for it."""
        with self._changed:
            if job in self._queue:
                self._queue.remove(job)
                self._changed.notify_all()

    def _has_turn(self, job: object) -> bool:
        with self._changed:
            return self._changed.wait_for(lambda: self._queue[0] is job, _CHECK_EVERY_S)

    def _give_way(self, check: CancelCheck) -> None:
        until = time.monotonic() + _GIVES_WAY_S
        while self._viewers_wait() and time.monotonic() < until:
            check()
            time.sleep(_POLL_VIEWERS_EVERY_S)
