"""Enlargements that take their time: accepted, run in turns, watched and cancelled."""

import contextlib
import logging
import secrets
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from functools import partial
from types import FrameType
from typing import IO, Any

from clearzoom.pipeline.budget import Budget
from clearzoom.pipeline.job import Job
from clearzoom.pipeline.run import run_job
from clearzoom.server.error_answers import Failure, RefusedError
from clearzoom.server.jobs.fair_turns import Rounds
from clearzoom.server.jobs.planning import model_of, plan, shown, told
from clearzoom.server.jobs.records import ENDED, IDENTIFIER, JobFolder, Record, job_folders
from clearzoom.server.locks import Turns
from clearzoom.server.settings import ServeSettings

MOST_OF_CLIENT = 4
MOST_IN_ALL = 64
"""Waiting and running, of all processes."""

_AT_ONCE, _LARGE_AT_ONCE = 8, 4
"""Of a process. Large ones never take all places, so a small one that comes later begins soon."""
_LARGE_PIXELS = 25_000_000
_ATTEMPTS = 2
"""A job that ended two processes does not end a third."""
_KEPT_S, _KEPT_BYTES, _KEPT_JOBS = 3600.0, 4_000_000_000, 256
_TOLD_EVERY_S = 0.1
_LOOK_EVERY_S = 0.5
_SWEEP_EVERY_S = 2.0
_ENDS_WITHIN_S = 20.0
_RETRY_AFTER_S = 10
_STOPPED = Failure(code="stopped", message="the server was stopped; send the picture again")
_GONE = Failure(code="fault", message="the server's process ended while it made this; try again")
_log = logging.getLogger("clearzoom.server")


class _StoppedError(Exception):
    """The job shall end here."""


@dataclass(eq=False)
class Work:
    """A job that this process holds. ``ended`` gets its last record."""

    folder: JobFolder
    record: Record
    held: IO[bytes]
    planned: Job | None = None
    stop: threading.Event = field(default_factory=threading.Event)
    ended: "Future[Record]" = field(default_factory=Future)
    told_s: float = 0.0


class Jobs:
    """The jobs of all processes, and the work of this one.

    Args:
        settings: of the server.
        viewers_wait: whether answers for viewers are at work or waiting; jobs give way to them.
    """

    def __init__(
        self, settings: ServeSettings, viewers_wait: Callable[[], bool] = lambda: False
    ) -> None:
        self.settings = settings
        self._root = settings.session / "jobs"
        self._root.mkdir(parents=True, exist_ok=True)
        self._rounds = Rounds(viewers_wait)
        self._one_accepts = Turns(settings.session / "jobs.lock")
        self._mutex = threading.Lock()
        self._waiting: list[Work] = []
        self._running: dict[Work, threading.Thread] = {}
        self._closing = threading.Event()
        self._ending = False
        self._keeper: threading.Thread | None = None

    def start(self) -> None:
        """Begin to look after all jobs: old ones go, those of processes that died go on.

        In the main thread also SIGTERM and SIGINT are listened to: a server that shall end waits
        for its answers, of which some wait for jobs.
        """
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGTERM, signal.SIGINT):
                signal.signal(number, partial(self._hear, signal.getsignal(number)))
        self._keeper = threading.Thread(target=self._keep, name="jobs", daemon=True)
        self._keeper.start()

    def close(self) -> None:
        """Cancel this process's jobs, and wait until they ended."""
        self._ending = True
        self._closing.set()
        with self._mutex:
            waiting, self._waiting = self._waiting, []
            running = dict(self._running)
        for work in waiting:
            self._end(work, "cancelled", _STOPPED)
        until = time.monotonic() + _ENDS_WITHIN_S
        for thread in [*running.values(), *([self._keeper] if self._keeper else [])]:
            thread.join(max(0.0, until - time.monotonic()))

    def reserve(self, client: str, *, awaited: bool) -> Work:
        """Make the folder of a job to be, within the limits.

        Args:
            client: whose it is.
            awaited: a request will wait for it.

        Raises:
            RefusedError: 429 where this client has too many, 503 where all have.
        """
        with self._one_accepts.alone("accept", lambda: None):
            active = [record for _, record in self._records() if record.is_active]
            if len(active) >= MOST_IN_ALL or self._ending:
                raise RefusedError(
                    503, "too many jobs wait; come again", retry_after_s=_RETRY_AFTER_S
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

    def plan(self, work: Work) -> Job:
        """Plan the picture that was received.

        Raises:
            RefusedError: 413 where it is too large.
            ClearzoomError: as ``plan_job`` says.
        """
        work.planned = plan(work.folder, work.record, self.settings.max_job_pixels)
        return work.planned

    def begin(self, work: Work) -> None:
        """Let a planned job wait for its place; ``work.ended`` tells of its end."""
        work.record.state = "waiting"
        work.folder.write(work.record)
        with self._mutex:
            closing = self._ending
            if not closing:
                self._waiting.append(work)
        if closing:
            self._end(work, "cancelled", _STOPPED)
        self._start_next()

    def discard(self, work: Work) -> None:
        """Give up a job that nobody will ask for: at its next tile, where it runs."""
        with self._mutex:
            waits = work in self._waiting
            if waits:
                self._waiting.remove(work)
            runs = work in self._running
        work.stop.set()
        if runs:
            work.ended.add_done_callback(lambda _: work.folder.remove())
        else:
            work.folder.remove()
            work.held.close()

    def find(self, identifier: str) -> Record | None:
        """Say what is known of a job of any process, or None."""
        if not IDENTIFIER.fullmatch(identifier):
            return None
        record = self.folder(identifier).read()
        return None if record is None or record.state == "receiving" else record

    def folder(self, identifier: str) -> JobFolder:
        """Give the folder of a job."""
        return JobFolder(self._root / identifier)

    def cancel(self, identifier: str) -> None:
        """Cancel a job of any process, or take its result away if it has ended."""
        record, folder = self.find(identifier), self.folder(identifier)
        if record is not None and record.is_active:
            folder.ask_to_cancel()
        elif record is not None:
            folder.remove()

    def counts(self) -> dict[str, int]:
        """Count the jobs of all processes by state."""
        return dict(Counter(record.state for _, record in self._records()))

    def _records(self) -> list[tuple[JobFolder, Record]]:
        found = ((folder, folder.read()) for folder in job_folders(self._root))
        return [(folder, record) for folder, record in found if record is not None]

    def _start_next(self) -> None:
        while True:
            with self._mutex:
                work = self._next()
                if work is None or self._ending:
                    return
                self._waiting.remove(work)
                thread = threading.Thread(target=self._run, args=(work,), name="job", daemon=True)
                self._running[work] = thread
                thread.start()  # under the mutex: close() may only join what has started

    def _next(self) -> Work | None:
        if len(self._running) >= _AT_ONCE:
            return None
        large = sum(map(_is_large, self._running))
        for work in self._waiting:
            if large < _LARGE_AT_ONCE or not _is_large(work):
                return work
        return None

    def _run(self, work: Work) -> None:
        folder, record = work.folder, work.record
        try:
            self._check(work)
            record.state = "running"
            folder.write(record)
            job = work.planned or self.plan(work)
            record.model = model_of(job)
            # What a tile takes is small and known; measured beside other jobs it would look large.
            done = run_job(job, partial(self._tile, work), budget=Budget(None))
            self._check(work)
            record.notes = shown(done.notes, folder, record)
            record.bytes = job.target.stat().st_size
            record.done = record.total
            self._end(work, "done")
        except _StoppedError:
            self._end(work, "cancelled", _STOPPED if self._ending else None)
        except Exception as error:  # what the server did not expect is logged by ``told``
            record.status, failure = told(error, folder, record)
            self._end(work, "failed", failure)
        finally:
            self._rounds.leave(work)
            with self._mutex:
                self._running.pop(work, None)
            self._start_next()

    def _check(self, work: Work) -> None:
        """Raise where a job shall end, by the word of whichever process."""
        if self._ending or work.stop.is_set() or work.folder.is_asked_to_cancel:
            raise _StoppedError

    def _hear(self, other: Any, number: int, frame: FrameType | None) -> None:
        self._ending = True  # a handler must not wait for a lock
        if callable(other):
            other(number, frame)

    def _tile(self, work: Work, done: int, total: int) -> None:
        self._check(work)
        work.record.done, work.record.total = done, total
        now = time.monotonic()
        if now - work.told_s > _TOLD_EVERY_S or done == total:
            work.told_s = now
            work.folder.write(work.record)
        if done < total:
            self._rounds.wait(work, partial(self._check, work))
        else:  # the encoder takes no turns
            self._rounds.leave(work)

    def _end(self, work: Work, state: str, error: Failure | None = None) -> None:
        record, folder = work.record, work.folder
        record.state = state  # type: ignore[assignment]
        record.error, record.ended_s = error, time.time()
        with contextlib.suppress(OSError):  # it was removed, or the disk is full
            folder.keep_result_only(record.suffix if state == "done" else "-")
            folder.write(record)
        work.held.close()
        if not work.ended.done():
            work.ended.set_result(record)

    def _keep(self) -> None:
        swept_s = 0.0
        while not self._closing.wait(_LOOK_EVERY_S):
            with self._mutex:
                cancelled = [
                    work for work in self._waiting if self._ending or work.folder.is_asked_to_cancel
                ]
                self._waiting = [work for work in self._waiting if work not in cancelled]
            for work in cancelled:
                self._end(work, "cancelled", _STOPPED if self._ending else None)
            if time.monotonic() - swept_s > _SWEEP_EVERY_S:
                swept_s = time.monotonic()
                try:
                    self._sweep()
                except OSError as error:
                    _log.warning("jobs cannot be looked after: %s", error)

    def _sweep(self) -> None:
        records = self._records()
        for folder, record in records:
            if record.is_active and (held := folder.hold(new=False)) is not None:
                self._take_over(folder, held)
        ended = [(r.ended_s or r.made_s, r.bytes or 0, f) for f, r in records if r.state in ENDED]
        kept_bytes = 0
        for count, (ended_s, size, folder) in enumerate(sorted(ended, key=_newest_first)):
            kept_bytes += size
            old = time.time() - ended_s > _KEPT_S
            if old or kept_bytes > _KEPT_BYTES or count >= _KEPT_JOBS:
                folder.remove()

    def _take_over(self, folder: JobFolder, held: IO[bytes]) -> None:
        """Go on with a job whose process is gone; where it was, if its picture is large."""
        record = folder.read()  # its process may have ended it just now
        if record is None or not record.is_active:
            held.close()
        elif record.awaited or record.state == "receiving":
            folder.remove()
            held.close()
        elif record.attempts >= _ATTEMPTS:
            record.status = 500
            self._end(Work(folder, record, held), "failed", _GONE)
        else:
            record.attempts += 1
            self.begin(Work(folder, record, held))


def _newest_first(ended: tuple[float, int, JobFolder]) -> float:
    return -ended[0]


def _is_large(work: Work) -> bool:
    return work.record.width * work.record.height > _LARGE_PIXELS
