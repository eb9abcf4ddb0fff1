"""Jobs take turns, a tile each, and give way to those who look at pictures now."""

import threading
import time
from collections import deque
from collections.abc import Callable

_LOOK_EVERY_S = 0.1
_GIVES_WAY_S = 1.0
"""At most, for each tile: a job goes on, if slowly, however many look."""
_LOOK_AT_VIEWERS_EVERY_S = 0.02


class Rounds:
    """Whose turn it is. A job waits after each of its tiles until all others had one.

    Args:
        viewers_wait: whether answers for viewers are at work or waiting.
    """

    def __init__(self, viewers_wait: Callable[[], bool]) -> None:
        self._viewers_wait = viewers_wait
        self._queue: deque[object] = deque()
        self._changed = threading.Condition()

    def wait(self, job: object, check: Callable[[], None]) -> None:
        """End a turn, and wait for the next.

        Args:
            job: whose.
            check: is called while waiting; raises where the job shall end.
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
        """Let the others go on without this one."""
        with self._changed:
            if job in self._queue:
                self._queue.remove(job)
                self._changed.notify_all()

    def _has_turn(self, job: object) -> bool:
        with self._changed:
            return self._changed.wait_for(lambda: self._queue[0] is job, _LOOK_EVERY_S)

    def _give_way(self, check: Callable[[], None]) -> None:
        until = time.monotonic() + _GIVES_WAY_S
        while self._viewers_wait() and time.monotonic() < until:
            check()
            time.sleep(_LOOK_AT_VIEWERS_EVERY_S)
