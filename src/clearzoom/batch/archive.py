"""Enlarge an archive: pictures here or in an object store, on this machine or on a cluster."""

import re
import threading
import time
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import closing
from dataclasses import replace

from clearzoom.batch.bands import Band, bands_folder
from clearzoom.batch.folder import PICTURES_AT_ONCE, Counts, Progress, check_can_begin, tasks_of
from clearzoom.batch.listing import list_pictures
from clearzoom.batch.report import NAME, Row, as_line, lasting_rows, left_out_rows, rows_of
from clearzoom.batch.storage import Place
from clearzoom.batch.task import Order, Task, failure, said_settings, unreadable
from clearzoom.batch.worker import Duty, Part, Worker, duty_of
from clearzoom.pipeline.settings import Settings

_JOURNAL = ".clearzoom-report"
_OF_JOURNAL = re.compile(r"/[0-9]{8,15}\.jsonl$")
_ROWS_AT_ONCE, _SECONDS_AT_MOST = 500, 15.0
"""So many rows, or what came in so long, are kept together: what a death of the command loses."""

Parts = Sequence[Task | Part]
Answers = Generator[tuple[int, Row, bool], None, None]
"""Which of the parts, its row, and whether it was done before."""

Engine = Callable[[Parts, Duty, bool], Answers]
"""Deals with parts in any order. One that no answer came for has cost a worker its life.

The last argument asks for care: one part at a time for each worker.
"""


def enlarge_archive(
    source: Place,
    target: Place,
    settings: Settings,
    *,
    engine: Engine,
    recursive: bool = False,
    split_px: int | None = None,
    at_once: int = 1,
    progress: Progress | None = None,
) -> Counts:
    """Enlarge all pictures of a place into another, under the same names.

    As ``enlarge_folder``: the same is skipped, refused, reported, and the same bytes come out. The
    report is journalled in parts beside it, since an object cannot be appended to.

    Args:
        source: is only read.
        target: report.jsonl in it has a line for each picture, by name.
        settings: for every picture.
        engine: deals with them, as ``on_this_machine`` does.
        recursive: also the folders in source, but not those of results.
        split_px: results of more px are made in bands, and joined.
        at_once: pictures in work in one worker.
        progress: is told after each picture.

    Raises:
        MissingFileError: no such folder, or no picture in it.
        InputError: source cannot be read, or target is source or would replace pictures in it.
        OutputError: the report cannot be written.
        ModelError: and its kinds: no such model, or it cannot run so.
        MissingExtraError: its engine is not installed.
    """
    archive = Archive(source, target, settings, recursive=recursive)
    return archive.enlarge(engine, split_px=split_px, at_once=at_once, progress=progress)


def on_this_machine(parts: Parts, duty: Duty, careful: bool) -> Answers:
    """Deal with pictures in this process; an ``Engine``."""
    stop = threading.Event()

    def go_on(done: int, total: int) -> None:
        if stop.is_set():
            raise KeyboardInterrupt

    worker = Worker(duty, go_on)
    at_once = 1 if careful or duty.order.settings.memory_bytes else PICTURES_AT_ONCE
    with ThreadPoolExecutor(at_once) as pool:
        try:
            futures = {pool.submit(worker.one, part): i for i, part in enumerate(parts)}
            for future in as_completed(futures):
                yield (futures.pop(future), *future.result())
        except BaseException:
            stop.set()
            pool.shutdown(cancel_futures=True)
            raise


class Archive:
    """What ``enlarge_archive`` does in two steps: an engine may be started between them.

    Looking at source and target changes nothing; for parameters and errors see there.
    """

    def __init__(
        self, source: Place, target: Place, settings: Settings, *, recursive: bool
    ) -> None:
        self.order = Order(source, target, settings, said_settings(settings))
        self.target = target
        self.listing, names = list_pictures(
            source, target, recursive=recursive, wanted=settings.format
        )
        check_can_begin(settings, names)
        self.counts = Counts(left_out=list(self.listing.left_out.values()))
        self.rows = rows_of(self.target.read(NAME) or b"")
        self.journal = _Journal(self.target)
        self.rows |= self.journal.found
        there = self.target.present([named.output for named in names.values()])
        self.tasks = [
            replace(task, may_replace=task.made_here or task.output not in there)
            for task in tasks_of(names, self.rows)
        ]
        self.unfinished: dict[str, tuple[Task, str]] = {}

    def enlarge(
        self,
        engine: Engine,
        *,
        split_px: int | None = None,
        at_once: int = 1,
        progress: Progress | None = None,
    ) -> Counts:
        """Deal with all pictures."""
        duty = duty_of(self.order, split_px=split_px, at_once=at_once)
        self.progress = progress
        self._claim()
        try:
            for folder, reason in self.listing.unreadable.items():
                row = {"file": folder} | unreadable(self.order, folder, reason)
                self._note(row, skipped=False)
            bands = self._wave(engine, duty, self.tasks)
            self._wave(engine, duty, bands)
            joins = [Part(task, key, None) for task, key in self.unfinished.values()]
            self._wave(engine, duty, joins)
        finally:
            self.journal.keep()
        listing = self.listing
        self.rows |= left_out_rows(listing.left_out)
        asked = {*listing.pictures, *listing.unreadable, *listing.left_out}
        others = [
            row["output"]
            for name, row in self.rows.items()
            if name not in asked and row.get("output")
        ]
        there = self.target.present(others) if others else set()
        rows = lasting_rows(self.rows, asked, there.__contains__)
        self.target.write(NAME, b"".join(map(as_line, rows)))
        self.journal.remove()
        return self.counts

    def _claim(self) -> None:
        """Note what was not there before: what dies with a result in place knows it as its own."""
        new = [task for task in self.tasks if task.may_replace and not task.made_here]
        for task in new:
            self.rows[task.file] = {"file": task.file, "output": task.output, "status": "started"}
        if new or not self.rows:
            self.target.write(NAME, b"".join(as_line(row) for _, row in sorted(self.rows.items())))

    def _wave(self, engine: Engine, duty: Duty, parts: Parts) -> list[Part]:
        """Deal with parts, again with care where that cost a worker; gives the bands to make."""
        bands: list[Part] = []
        for careful in (False, True):
            left = dict(enumerate(parts))
            if left:
                # Broken off, a cluster must not go on behind the back of what comes next.
                with closing(engine(parts, duty, careful)) as answers:
                    for index, row, skipped in answers:
                        bands += self._take(left.pop(index), row, skipped=skipped)
            parts = list(left.values())
        for part in parts:
            task = part if isinstance(part, Task) else part.task
            why = (
                f"each worker that had {duty.order.source.root}/{task.file} died: too little "
                "memory, or a fault in a decoder; enlarge it alone, with --memory, to see which"
            )
            self._take(part, {"file": task.file, "output": task.output} | failure("cluster", why))
        return bands

    def _take(self, part: Task | Part, row: Row, *, skipped: bool = False) -> list[Part]:
        task = part if isinstance(part, Task) else part.task
        if row["status"] == "split":
            self.unfinished[task.file] = task, row["key"]
            return [Part(task, row["key"], Band(*each)) for each in row["bands"]]
        if row["status"] == "band":
            return []
        if isinstance(part, Part):
            if part.band is not None and task.file not in self.unfinished:
                return []  # of a picture that has failed already
            self.unfinished.pop(task.file)
            if part.band is None and row["status"] == "done":
                for name in self.target.names(bands_folder(part.key)):
                    self.target.remove(name)
        self._note(row, skipped=skipped)
        return []

    def _note(self, row: Row, *, skipped: bool) -> None:
        self.counts.add(row, skipped=skipped)
        self.rows[row["file"]] = row
        if not skipped:
            self.journal.add(row)
        counts = self.counts
        if self.progress is not None:
            done = counts.done + counts.skipped + counts.failed
            total = len(self.listing.pictures) + len(self.listing.unreadable)
            self.progress(done, total, counts.said(row["file"]))


class _Journal:
    """Rows since the last whole report, in files of many rows each."""

    def __init__(self, target: Place) -> None:
        self._target = target
        self._files = [name for name in target.names(_JOURNAL) if _OF_JOURNAL.search(name)]
        self.found: dict[str, Row] = {}
        for name in self._files:
            self.found |= rows_of(target.read(name) or b"")
        self._rows: list[Row] = []
        self._kept_s = time.monotonic()

    def add(self, row: Row) -> None:
        self._rows.append(row)
        late = time.monotonic() - self._kept_s > _SECONDS_AT_MOST
        if late or len(self._rows) >= _ROWS_AT_ONCE:
            self.keep()

    def keep(self) -> None:
        if self._rows:
            last = self._files[-1].rpartition("/")[2].partition(".")[0] if self._files else "0"
            name = f"{_JOURNAL}/{int(last) + 1:08d}.jsonl"
            self._target.write(name, b"".join(map(as_line, self._rows)))
            self._files.append(name)
        self._rows, self._kept_s = [], time.monotonic()

    def remove(self) -> None:
        for name in self._files:
            self._target.remove(name)
        self._files = []
