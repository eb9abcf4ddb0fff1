"""Enlarge a folder of pictures: mirrored, skipping what is done, with a report."""

import threading
import time
from collections.abc import Callable, Collection, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import IO

from clearzoom.batch.naming import ResultName
from clearzoom.batch.report import (
    NAME,
    Row,
    as_line,
    ends_whole,
    is_result,
    lasting_rows,
    left_out_rows,
    open_report,
    read_report,
    write_report,
)
from clearzoom.batch.storage import Folder
from clearzoom.batch.task import Order, Task, deal_with, said_settings, unreadable
from clearzoom.batch.tree import Listing, pictures_to_do
from clearzoom.errors import MissingExtraError, OutputError
from clearzoom.io.names import HEIC_SUFFIXES, suffix_of
from clearzoom.pipeline.budget import Budget
from clearzoom.pipeline.job import Job
from clearzoom.pipeline.networks import check_networks
from clearzoom.pipeline.paths import is_there
from clearzoom.pipeline.run import Done, run_job
from clearzoom.pipeline.settings import Settings

PICTURES_AT_ONCE = 3
"""One is decoded and one encoded while another is in the network."""
FAILURES_NAMED = 5
"""Who runs a folder of thousands reads the others in the report."""


@dataclass
class Counts:
    """How many pictures came to which end.

    ``megapixels`` of what was enlarged now, ``failures`` the first few with their errors,
    ``left_out`` the kinds of what is no picture.
    """

    done: int = 0
    skipped: int = 0
    failed: int = 0
    megapixels: float = 0.0
    failures: list[tuple[str, str]] = field(default_factory=list)
    _began_s: float = field(default_factory=time.monotonic, repr=False, compare=False)
    left_out: list[str] = field(default_factory=list)

    def said(self, file: str) -> str:
        """Say how fast it goes, and with which picture it has come so far."""
        rate = self.megapixels / max(time.monotonic() - self._began_s, 1e-3)
        return f"{self.megapixels:.1f} MP, {rate:.2f} MP/s, {file}"

    def add(self, row: Row, *, skipped: bool) -> None:
        """Count the last row of a picture."""
        if row["status"] == "failed":
            self.failed += 1
            if self.failed <= FAILURES_NAMED:
                self.failures.append((row["file"], row["error"]))
        elif skipped:
            self.skipped += 1
        else:
            self.done += 1
            self.megapixels += row["width_px"] * row["height_px"] / 1e6


Progress = Callable[[int, int, str], None]
"""Called with (pictures dealt with, pictures in all, a word on them)."""


def enlarge_folder(
    source: Path,
    output: Path,
    settings: Settings,
    *,
    recursive: bool = False,
    progress: Progress | None = None,
) -> Counts:
    """Enlarge all pictures of a folder into another, under the same names.

    What is no picture is left out; it has a row in the report too.

    A picture is skipped where the report says that the same content was enlarged with the same
    settings and the result is still there. A picture that fails is reported, and the rest goes on.
    A file that was not made here is never replaced.

    Args:
        source: is only read; links to folders are not followed.
        output: is made; report.jsonl in it has a line for each picture, by name.
        settings: for every picture. With a limit of memory, one picture at a time.
        recursive: also the folders in it, but not those of results.
        progress: is told after each picture.

    Raises:
        MissingFileError: no such folder, or no picture in it.
        InputError: source cannot be read, or output is source or would replace pictures in it.
        OutputError: output cannot be written.
        ModelError: and its kinds: no such model, or it cannot run so.
        MissingExtraError: its engine is not installed, or all is HEIC and its extra is not.
    """
    listing, names = pictures_to_do(source, output, recursive=recursive, wanted=settings.format)
    check_can_begin(settings, names)
    try:
        output.mkdir(parents=True, exist_ok=True)
        work = _Work(source, output, settings, listing, names)
    except OSError as error:
        raise OutputError(f"cannot write to {output}: {error.strerror}") from error
    work.run(1 if settings.memory_bytes else PICTURES_AT_ONCE, progress)
    return work.counts


def check_can_begin(settings: Settings, pictures: Collection[str]) -> None:
    """Refuse once, before anything, what no picture can be enlarged with or read without.

    Args:
        settings: for all pictures.
        pictures: their names, one at least.

    Raises:
        ModelError: and its kinds: no such model, or it cannot run so.
        MissingExtraError: its engine is not installed, or all is HEIC and its extra is not.
    """
    check_networks(settings)
    heic = all(suffix_of(name) in HEIC_SUFFIXES for name in pictures)
    if pictures and heic and find_spec("pillow_heif") is None:
        raise MissingExtraError("HEIC, as all pictures here are,", "heic")


def order_of(source: Path, output: Path, settings: Settings) -> Order:
    """Say what is asked of every picture of a folder."""
    return Order(Folder(str(source)), Folder(str(output)), settings, said_settings(settings))


def tasks_of(names: Mapping[str, ResultName], rows: Mapping[str, Row]) -> list[Task]:
    """Say what is to do with the pictures of a folder.

    Args:
        names: of their results, by picture.
        rows: of the report so far, by picture.
    """
    made_here = {row.get("output") for row in rows.values() if is_result(row)}
    return [
        Task(
            name,
            named.output,
            rows.get(name, {}),
            named.clash,
            named.output in made_here,
            named.output in made_here,
        )
        for name, named in names.items()
    ]


class _Work:
    def __init__(
        self,
        source: Path,
        output: Path,
        settings: Settings,
        listing: Listing,
        names: dict[str, ResultName],
    ) -> None:
        self.output, self.listing = output, listing
        self.order = order_of(source, output, settings)
        self.counts = Counts(left_out=list(listing.left_out.values()))
        self.report = output / NAME
        self.rows = read_report(self.report)
        self.tasks = tasks_of(names, self.rows)
        self.budget = Budget(settings.memory_bytes)
        self.stop = threading.Event()
        self.writing = threading.Lock()

    def run(self, at_once: int, progress: Progress | None) -> None:
        try:
            with open_report(self.report) as report, ThreadPoolExecutor(at_once) as pool:
                report.write(b"\n" if report.tell() and not ends_whole(self.report) else b"")
                for folder, reason in self.listing.unreadable.items():
                    self._note(report, {"file": folder} | unreadable(self.order, folder, reason))
                try:
                    self._run(pool, at_once, report, progress)
                except BaseException:
                    self.stop.set()
                    pool.shutdown(cancel_futures=True)
                    raise
            self._write_report()
        except OSError as error:
            raise OutputError(f"cannot write {self.report}: {error.strerror}") from error

    def _run(
        self,
        pool: ThreadPoolExecutor,
        at_once: int,
        report: IO[bytes],
        progress: Progress | None,
    ) -> None:
        done = 0
        waiting: set[Future[Row]] = set()
        upcoming = iter(self.tasks)
        while True:
            while len(waiting) < at_once and (task := next(upcoming, None)):
                run = partial(self._run_job, report)
                waiting.add(pool.submit(deal_with, task, self.order, run))
            if not waiting:
                break
            finished, waiting = wait(waiting, return_when=FIRST_COMPLETED)
            for future in finished:
                row = future.result()
                self._note(report, row)
                done += 1
                if progress is not None:
                    word = self.counts.said(row["file"])
                    progress(done, len(self.tasks), word)

    def _run_job(self, report: IO[bytes], job: Job, row: Row) -> Done:
        # Killed between here and the row that says done, the result is known as made here.
        self._append(report, row | {"status": "started"})
        return run_job(job, self._go_on, budget=self.budget)

    def _go_on(self, done: int, total: int) -> None:
        """Between two tiles: end here when the job was stopped by hand."""
        if self.stop.is_set():
            raise KeyboardInterrupt

    def _append(self, report: IO[bytes], row: Row) -> None:
        with self.writing:
            report.write(as_line(row))
            report.flush()

    def _note(self, report: IO[bytes], row: Row) -> None:
        self._append(report, row)
        self.counts.add(row, skipped=row is self.rows.get(row["file"]))
        self.rows[row["file"]] = row

    def _write_report(self) -> None:
        listing = self.listing
        self.rows |= left_out_rows(listing.left_out)
        asked = {*listing.pictures, *listing.unreadable, *listing.left_out}
        rows = lasting_rows(self.rows, asked, lambda name: is_there(self.output / name))
        write_report(self.report, rows)
