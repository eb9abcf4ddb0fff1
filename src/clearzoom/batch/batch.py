"""Enlarge many pictures: plan, check once, run on an executor, report.

The same loop serves folders and object stores, on this machine and on a cluster.
"""

import threading
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import closing
from itertools import islice
from pathlib import Path
from typing import Protocol

from clearzoom.batch.bands import Band, bands_folder
from clearzoom.batch.journal import journal_parts, journal_rows
from clearzoom.batch.report import NAME, Counts, Row, as_line, lasting_rows, left_out_rows
from clearzoom.batch.requirements import check_requirements
from clearzoom.batch.storage import LocalFolder, Storage
from clearzoom.batch.task import BatchContext, Task, claimed, failure, tasks_of
from clearzoom.batch.tree import list_pictures
from clearzoom.batch.worker import Part, Worker, WorkerSetup
from clearzoom.pipeline.settings import Settings

PICTURES_AT_ONCE = 3
"""One is decoded and one encoded while another is in the network."""

Parts = Sequence[Task | Part]
Results = Generator[tuple[int, Row, bool], None, None]
"""The index of a part, its row, and whether its picture was enlarged before."""

Started = Callable[[Row], None] | None
"""Gets a row before a picture is enlarged, as in ``Worker``; None where names are claimed."""

Progress = Callable[[int, int, str], None]
"""Called with (pictures finished, pictures in all, rate and last picture)."""

Finished = Callable[[Row, bool], None]
"""Gets the row of each picture, and whether it was enlarged before."""


class Executor(Protocol):
    """Runs the parts of a batch, in any order.

    ``remote``: parts run in other processes, which cannot call ``started``.
    """

    remote: bool

    def __call__(
        self, parts: Parts, context: BatchContext, started: Started, *, careful: bool
    ) -> Results:
        """Run the parts. A part without an answer means that its worker died.

        Args:
            parts: pictures, or parts of large ones.
            context: the batch.
            started: is called by an executor in this process.
            careful: each worker gets one part at a time.
        """


class ThreadExecutor:
    """Runs parts in threads of this process; an ``Executor``."""

    remote = False

    def __call__(
        self, parts: Parts, context: BatchContext, started: Started, *, careful: bool
    ) -> Results:
        """Run the parts, a few at a time; with a limit of memory one at a time."""
        stop = threading.Event()

        def progress(done: int, total: int) -> None:
            if stop.is_set():
                raise KeyboardInterrupt

        worker = Worker(WorkerSetup(context), progress, started)
        at_once = 1 if careful or context.settings.memory_bytes else PICTURES_AT_ONCE
        waiting = enumerate(parts)
        running: dict[Future[tuple[Row, bool]], int] = {}
        with ThreadPoolExecutor(at_once) as pool:
            try:
                while True:
                    for index, part in islice(waiting, at_once - len(running)):
                        running[pool.submit(worker.process, part)] = index
                    if not running:
                        return
                    for future in wait(running, return_when=FIRST_COMPLETED).done:
                        yield (running.pop(future), *future.result())
            except BaseException:  # stop the pictures at work between two tiles
                stop.set()
                pool.shutdown(cancel_futures=True)
                raise


def enlarge_folder(
    source: Path,
    output: Path,
    settings: Settings,
    *,
    recursive: bool = False,
    progress: Progress | None = None,
) -> Counts:
    """Enlarge all pictures of a folder into another, under the same names.

    Other files are left out; they have rows in the report too. A picture is skipped where the
    report says that the same content was enlarged with the same settings and the result is still
    there. A picture that fails is reported, and the rest goes on. A file that was not made here is
    never replaced.

    Args:
        source: is only read; links to folders are not followed.
        output: is made; report.jsonl in it has a line for each picture, by name.
        settings: for every picture. With a limit of memory, one picture is in work at a time.
        recursive: also the folders in source, but not those of results.
        progress: is called at the start, and after each picture.

    Raises:
        MissingFileError: the folder does not exist, or has no picture.
        InputError: source cannot be read, or output is source or would replace pictures in it.
        OutputError: output cannot be written.
        ModelError: and its kinds: no such model, or it cannot run with these settings.
        MissingExtraError: the engine is not installed, or all is HEIC and its extra is not.
    """
    places = LocalFolder(str(source)), LocalFolder(str(output))
    return Batch(*places, settings, recursive=recursive).run(ThreadExecutor(), progress)


class Batch:
    """All pictures of a folder or store, to enlarge into another; made without writing anything.

    Attributes:
        rows: the last row of each file of all runs, by file.
        before: the files that were enlarged before this run.

    Args:
        source: is only read.
        target: gets the results and the report.
        settings: for every picture.
        recursive: also the folders in source, but not those of results.
        may_be_empty: whether a folder without a picture is no error.
        elsewhere: whether other machines enlarge them, which may have a device that is not here.

    Raises:
        ClearzoomError: as ``enlarge_folder`` says, and for the same causes.
    """

    def __init__(
        self,
        source: Storage,
        target: Storage,
        settings: Settings,
        *,
        recursive: bool = False,
        may_be_empty: bool = False,
        elsewhere: bool = False,
    ) -> None:
        self.listing, names = list_pictures(
            source,
            target,
            recursive=recursive,
            result_format=settings.format,
            may_be_empty=may_be_empty,
        )
        check_requirements(settings, names, elsewhere=elsewhere)
        self.context = BatchContext.of(source, target, settings)
        self.rows = target.report_rows() | journal_rows(target)
        self.tasks = tasks_of(names, self.rows)
        self.counts = Counts(left_out=list(self.listing.left_out.values()))
        self.before: set[str] = set()
        self._split: dict[str, tuple[Task, str]] = {}

    def run(
        self,
        executor: Executor,
        progress: Progress | None = None,
        finished: Finished | None = None,
    ) -> Counts:
        """Enlarge the pictures, and write the report.

        Args:
            executor: runs them.
            progress: is called at the start, and after each picture.
            finished: is called after each picture, too.

        Raises:
            OutputError: the report cannot be written.
            ClusterError: the cluster failed.
        """
        target, self._executor, self._progress = self.context.target, executor, progress
        self._finished = finished
        claims = executor.remote or not target.appends
        if claims:
            self._claim()
        with target.journal() as self._write:
            self._started = None if claims else self._write
            if progress is not None:
                progress(0, len(self.tasks), "")
            for folder, reason in self.listing.unreadable.items():
                self._add(self.context.unreadable(folder, reason), skipped=False)
            bands = self._wave(self.tasks)
            self._wave(bands)
            self._wave([Part(task, key, None) for task, key in self._split.values()])
        self._write_report()
        return self.counts

    def _claim(self) -> None:
        """Claim in the report the names at which nothing is.

        After a kill the results at these names are known as made here, without a row for each that
        is written before its result.
        """
        target = self.context.target
        self.tasks = claimed(self.tasks, target.present([task.output for task in self.tasks]))
        new = [task for task in self.tasks if task.may_replace and not task.made_here]
        for task in new:
            self.rows[task.file] = {"file": task.file, "output": task.output, "status": "started"}
        if new or not self.rows:
            target.write(NAME, b"".join(as_line(row) for _, row in sorted(self.rows.items())))

    def _wave(self, parts: Parts) -> list[Part]:
        """Run parts, and again with care those whose worker died; gives the bands to make."""
        bands: list[Part] = []
        for careful in (False, True):
            left = dict(enumerate(parts))
            if left:
                results = self._executor(parts, self.context, self._started, careful=careful)
                # Close the generator on error, so that the cluster stops before the next wave.
                with closing(results):
                    for index, row, skipped in results:
                        bands += self._take(left.pop(index), row, skipped=skipped)
            parts = list(left.values())
        for part in parts:
            task = part if isinstance(part, Task) else part.task
            reason = (
                f"each worker that had {self.context.source.root}/{task.file} died: too little "
                "memory, or a fault in a decoder; enlarge it alone, with `memory_bytes`, to see "
                "which"
            )
            row = {"file": task.file, "output": task.output} | failure("cluster", reason)
            self._take(part, row, skipped=False)
        return bands

    def _take(self, part: Task | Part, row: Row, *, skipped: bool) -> list[Part]:
        """Take the row of a part; gives the bands of a picture that is split."""
        task = part if isinstance(part, Task) else part.task
        if row["status"] == "split":
            self._split[task.file] = task, row["key"]
            return [Part(task, row["key"], Band(*each)) for each in row["bands"]]
        if row["status"] == "band":
            return []
        if isinstance(part, Part):
            if part.band is not None and task.file not in self._split:
                return []  # another band of the picture has failed already
            self._split.pop(task.file)
            if part.band is None and row["status"] == "done":
                for name in self.context.target.names(bands_folder(part.key)):
                    self.context.target.remove(name)
        self._add(row, skipped=skipped)
        if self._finished is not None:
            self._finished(row, skipped)
        if self._progress is not None:
            finished = self.counts.finished - len(self.listing.unreadable)
            self._progress(finished, len(self.tasks), self.counts.rate_text(row["file"]))
        return []

    def _add(self, row: Row, *, skipped: bool) -> None:
        self.counts.add(row, skipped=skipped)
        if skipped:
            self.before.add(row["file"])
        self.rows[row["file"]] = row
        if not skipped:
            self._write(row)

    def _write_report(self) -> None:
        """Write the whole report in order, and remove the journal."""
        target, listing = self.context.target, self.listing
        self.rows |= left_out_rows(listing.left_out)
        own = {*listing.pictures, *listing.unreadable, *listing.left_out}
        others = [
            row["output"]
            for name, row in self.rows.items()
            if name not in own and row.get("output")
        ]
        there = target.present(others) if others else set()
        target.write(NAME, b"".join(map(as_line, lasting_rows(self.rows, own, there))))
        for name in journal_parts(target):
            target.remove(name)
