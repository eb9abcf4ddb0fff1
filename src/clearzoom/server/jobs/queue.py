"""Jobs of all processes: accepted within limits, found, cancelled, taken over, and deleted."""

import logging
import secrets
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable
from functools import partial
from types import FrameType
from typing import IO, Any

from clearzoom.server.error_answers import Failure, RefusedError
from clearzoom.server.jobs.records import ENDED, IDENTIFIER, JobFolder, Record, job_folders
from clearzoom.server.jobs.runner import Runner, Work
from clearzoom.server.locks import KeyedLock
from clearzoom.server.memory import Memory, work_bytes
from clearzoom.server.settings import ServeSettings

MOST_OF_CLIENT = 4
MOST_IN_ALL = 64
"""Jobs of all processes that wait or run."""

_ATTEMPTS = 2
"""A job that ended two processes is not begun by a third."""
_RESULTS_LAST_S, _MOST_RESULT_BYTES, _MOST_RESULTS = 3600.0, 4_000_000_000, 256
_POLL_S = 0.5
_SWEEP_EVERY_S = 2.0
_ENDS_WITHIN_S = 20.0
_RETRY_AFTER_S = 10
_GONE = Failure(code="fault", message="the server's process ended while it made this; try again")
_log = logging.getLogger("clearzoom.server")


class Jobs:
    """The jobs of all processes, and the runner of this one.

    Args:
        settings: what the server was started with.
        viewers_wait: returns whether answers for viewers wait or are being made; jobs give way to
            them.
        make_room: deletes what the server can do without, where the disk is full.
        memory: what all work of this process may take; jobs get half of it.
    """

    def __init__(
        self,
        settings: ServeSettings,
        viewers_wait: Callable[[], bool] = lambda: False,
        make_room: Callable[[], None] = lambda: None,
        memory: Memory | None = None,
    ) -> None:
        self.settings = settings
        memory = memory or Memory(work_bytes(settings.memory_bytes))
        self.runner = Runner(
            viewers_wait, settings.max_job_pixels, make_room, memory.half(), settings.device
        )
        self._root = settings.session / "jobs"
        self._root.mkdir(parents=True, exist_ok=True)
        self._accepting = KeyedLock(settings.session / "jobs.lock")
        self._closing = threading.Event()
        self._keeper = threading.Thread(target=self._keep, name="jobs", daemon=True)

    def start(self) -> None:
        """Start the thread that deletes old jobs, and goes on with those of processes that died.

        In the main thread SIGTERM and SIGINT stop the runner at once: a server that ends waits for
        its answers, and some of them wait for jobs.
        """
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGTERM, signal.SIGINT):
                signal.signal(number, partial(self._stop_on_signal, signal.getsignal(number)))
        self._keeper.start()

    def close(self) -> None:
        """Cancel the jobs of this process, and wait until they ended."""
        running = self.runner.close()
        self._closing.set()
        until = time.monotonic() + _ENDS_WITHIN_S
        for thread in [*running, self._keeper]:
            thread.join(max(0.0, until - time.monotonic()))

    def reserve(self, client: str, *, awaited: bool) -> Work:
        """Make the folder of a new job, within the limits.

        Args:
            client: address of the client that the job counts for.
            awaited: whether a request will wait for the result.

        Raises:
            RefusedError: 429 where this client has too many jobs, 503 where all together have.
        """
        with self._accepting.hold("accept", lambda: None):
            active = [record for _, record in self._records() if record.is_active]
            if len(active) >= MOST_IN_ALL or self.runner.stopping:
                raise RefusedError(
                    503, "too many jobs wait; try again later", retry_after_s=_RETRY_AFTER_S
                )
            if sum(record.client == client for record in active) >= MOST_OF_CLIENT:
                raise RefusedError(
                    429,
                    f"at most {MOST_OF_CLIENT} jobs at once; wait for one, or cancel one",
                    retry_after_s=_RETRY_AFTER_S,
                )
            folder = JobFolder(self._root / secrets.token_hex(16))
            folder.path.mkdir()
            held = folder.hold(new=True)
            assert held is not None
            work = Work(folder, Record(client=client, made_s=time.time(), awaited=awaited), held)
            folder.write(work.record)
            return work

    def find(self, identifier: str) -> Record | None:
        """Return the state of an accepted job of any process, or None."""
        if not IDENTIFIER.fullmatch(identifier):
            return None
        record = self.folder(identifier).read()
        return None if record is None or record.state == "receiving" else record

    def folder(self, identifier: str) -> JobFolder:
        """Return the folder of a job."""
        return JobFolder(self._root / identifier)

    def cancel(self, identifier: str) -> None:
        """Cancel a job of any process, or delete one that has ended."""
        record, folder = self.find(identifier), self.folder(identifier)
        if record is not None and record.is_active:
            folder.request_cancel()
        elif record is not None:
            folder.remove()

    def counts(self) -> dict[str, int]:
        """Count the jobs of all processes by state."""
        return dict(Counter(record.state for _, record in self._records()))

    def _records(self) -> list[tuple[JobFolder, Record]]:
        records = ((folder, folder.read()) for folder in job_folders(self._root))
        return [(folder, record) for folder, record in records if record is not None]

    def _stop_on_signal(self, other: Any, number: int, frame: FrameType | None) -> None:
        self.runner.stopping = True  # a handler must not wait for a lock
        if callable(other):
            other(number, frame)

    def _keep(self) -> None:
        swept_s = 0.0
        while not self._closing.wait(_POLL_S):
            self.runner.cancel_waiting()
            if time.monotonic() - swept_s > _SWEEP_EVERY_S:
                swept_s = time.monotonic()
                try:
                    self._sweep()
                except OSError as error:
                    _log.warning("jobs cannot be looked after: %s", error)

    def _sweep(self) -> None:
        """Take over the jobs of processes that died, and delete old results."""
        records = self._records()
        for folder, record in records:
            if record.is_active and (held := folder.hold(new=False)) is not None:
                self._take_over(folder, held)
        ended = [(r.ended_s or r.made_s, r.bytes or 0, f) for f, r in records if r.state in ENDED]
        result_bytes = 0
        for count, (ended_s, size, folder) in enumerate(sorted(ended, key=_newest_first)):
            result_bytes += size
            old = time.time() - ended_s > _RESULTS_LAST_S
            if old or result_bytes > _MOST_RESULT_BYTES or count >= _MOST_RESULTS:
                folder.remove()

    def _take_over(self, folder: JobFolder, held: IO[bytes]) -> None:
        """Go on with a job whose process died: where it was, if its picture is large."""
        record = folder.read()  # its process may have ended it just now
        if record is None or not record.is_active:
            held.close()
        elif record.awaited or record.state == "receiving":
            folder.remove()
            held.close()
        elif record.attempts >= _ATTEMPTS:
            record.status = 500
            self.runner.end(Work(folder, record, held), "failed", _GONE)
        else:
            record.attempts += 1
            self.runner.begin(Work(folder, record, held))


def _newest_first(ended: tuple[float, int, JobFolder]) -> float:
    return -ended[0]
