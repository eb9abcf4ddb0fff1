"""Run jobs: some at a time in this process, in turns, until they end or are stopped."""

import contextlib
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from functools import partial
from typing import IO

from clearzoom.engines import Device
from clearzoom.errors import FullDiskError
from clearzoom.pipeline.job import Job
from clearzoom.pipeline.memory_budget import Budget
from clearzoom.pipeline.run import Done, run_job
from clearzoom.server.error_answers import Failure
from clearzoom.server.jobs.fair_turns import FairTurns
from clearzoom.server.jobs.planning import error_response, job_bytes, model_of, plan, redact_paths
from clearzoom.server.jobs.records import JobFolder, Record, State
from clearzoom.server.memory import Memory

_AT_ONCE, _LARGE_AT_ONCE = 8, 4
"""Jobs that run at a time in a process. Large ones never take all places, so that a small one that
comes later begins soon."""
_LARGE_PIXELS = 25_000_000
_WRITE_STATE_EVERY_S = 0.1
_STOPPED = Failure(code="stopped", message="the server was stopped; send the picture again")


class _StoppedError(Exception):
    """The job must end here."""


@dataclass(eq=False)
class Work:
    """A job that this process holds.

    Attributes:
        folder: folder of the job.
        record: its state, which this process alone writes.
        held: the file that holds the job.
        planned: its plan, once it is made.
        stop: is set where nobody needs the result any more.
        ended: receives the last record.
        written_s: when the state was last written, on the monotonic clock.
    """

    folder: JobFolder
    record: Record
    held: IO[bytes]
    planned: Job | None = None
    stop: threading.Event = field(default_factory=threading.Event)
    ended: "Future[Record]" = field(default_factory=Future)
    written_s: float = 0.0

    @property
    def is_large(self) -> bool:
        """Whether the result is so large that few such jobs run at a time."""
        return self.record.width * self.record.height > _LARGE_PIXELS


class Runner:
    """Runs the jobs that this process holds, in threads.

    Args:
        viewers_wait: returns whether answers for viewers wait or are being made.
        max_job_pixels: bound of a result, all frames together.
        make_room: deletes what the server can do without, where the disk is full.
        memory: what all jobs of this process may take together.
        device: what networks run on.
    """

    def __init__(
        self,
        viewers_wait: Callable[[], bool],
        max_job_pixels: int,
        make_room: Callable[[], None],
        memory: Memory,
        device: Device,
    ) -> None:
        self.stopping = False
        """Set, also by a signal handler, where the server ends: all jobs are cancelled."""
        self._max_job_pixels, self._make_room = max_job_pixels, make_room
        self._memory, self._device = memory, device
        self._turns = FairTurns(viewers_wait)
        self._mutex = threading.Lock()
        self._waiting: list[Work] = []
        self._running: dict[Work, threading.Thread] = {}

    def plan(self, work: Work) -> Job:
        """Plan the picture that was received.

        Raises:
            RefusedError: 413 where it is too large.
            ClearzoomError: as ``plan_job`` raises it.
        """
        limits = self._max_job_pixels, self._memory
        work.planned = plan(work.folder, work.record, *limits, self._device)
        return work.planned

    def begin(self, work: Work) -> None:
        """Let a planned job wait for its place; ``work.ended`` receives its last record."""
        work.record.state = "waiting"
        work.folder.write(work.record)
        with self._mutex:
            stopping = self.stopping
            if not stopping:
                self._waiting.append(work)
        if stopping:
            self._end_cancelled(work)
        self._start_next()

    def discard(self, work: Work) -> None:
        """Delete a job that nobody needs any more; one that runs stops at its next tile."""
        with self._mutex:
            if work in self._waiting:
                self._waiting.remove(work)
            runs = work in self._running
        work.stop.set()
        if runs:
            work.ended.add_done_callback(lambda _: work.folder.remove())
        else:
            work.folder.remove()
            work.held.close()

    def cancel_waiting(self) -> None:
        """End the waiting jobs whose cancelling was requested; all of them while stopping."""
        with self._mutex:
            cancelled = [
                work for work in self._waiting if self.stopping or work.folder.is_cancel_requested
            ]
            self._waiting = [work for work in self._waiting if work not in cancelled]
        for work in cancelled:
            self._end_cancelled(work)

    def close(self) -> list[threading.Thread]:
        """Cancel all jobs; return the threads of those that still run."""
        self.stopping = True
        self.cancel_waiting()
        with self._mutex:
            return list(self._running.values())

    def end(self, work: Work, state: State, error: Failure | None = None) -> None:
        """Write the last state of a job, and let it go."""
        record, folder = work.record, work.folder
        record.state, record.error, record.ended_s = state, error, time.time()
        with contextlib.suppress(OSError):  # it was removed, or the disk is full
            folder.keep_result_only(record.suffix if state == "done" else "-")
            folder.write(record)
        work.held.close()
        if not work.ended.done():
            work.ended.set_result(record)

    def _end_cancelled(self, work: Work) -> None:
        self.end(work, "cancelled", _STOPPED if self.stopping else None)

    def _start_next(self) -> None:
        while True:
            with self._mutex:
                work = self._next()
                if work is None or self.stopping:
                    return
                self._waiting.remove(work)
                thread = threading.Thread(target=self._run, args=(work,), name="job", daemon=True)
                self._running[work] = thread
                thread.start()  # under the mutex: close() may only join what has started

    def _next(self) -> Work | None:
        if len(self._running) >= _AT_ONCE:
            return None
        large = sum(work.is_large for work in self._running)
        for work in self._waiting:
            if large < _LARGE_AT_ONCE or not work.is_large:
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
            with self._memory.hold(job_bytes(job), partial(self._check, work)):
                done = self._ran(job, work)
            self._check(work)
            record.notes = redact_paths(done.notes, folder, record)
            record.bytes = job.target.stat().st_size
            record.done = record.total
            self.end(work, "done")
        except _StoppedError:
            self._end_cancelled(work)
        except Exception as error:  # ``error_response`` logs what the server did not expect
            record.status, failure = error_response(error, folder, record)
            self.end(work, "failed", failure)
        finally:
            self._turns.leave(work)
            with self._mutex:
                self._running.pop(work, None)
            self._start_next()

    def _ran(self, job: Job, work: Work) -> Done:
        report = partial(self._report_tile, work)
        # No budget: a tile needs little memory, and would look large if it were measured beside
        # other jobs.
        try:
            return run_job(job, report, budget=Budget(None))
        except FullDiskError:
            self._make_room()
            return run_job(job, report, budget=Budget(None))

    def _check(self, work: Work) -> None:
        """Raise where a job must end, whichever process requested it."""
        if self.stopping or work.stop.is_set() or work.folder.is_cancel_requested:
            raise _StoppedError

    def _report_tile(self, work: Work, done: int, total: int) -> None:
        self._check(work)
        work.record.done, work.record.total = done, total
        now = time.monotonic()
        if now - work.written_s > _WRITE_STATE_EVERY_S or done == total:
            work.written_s = now
            work.folder.write(work.record)
        if done < total:
            self._turns.wait(work, partial(self._check, work))
        else:  # the encoder takes no turns
            self._turns.leave(work)
