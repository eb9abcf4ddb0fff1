"""Enlarge a folder of pictures: mirrored, skipping what is done, with a report."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import IO

from clearzoom.batch.budget import Budget
from clearzoom.batch.job import Done, Job, plan_job, run_job
from clearzoom.batch.one import Order, Task, deal_with, failure, said_settings
from clearzoom.batch.places import Folder
from clearzoom.batch.report import (
    NAME,
    Row,
    as_line,
    ends_whole,
    is_result,
    lasting_rows,
    read_report,
    write_report,
)
from clearzoom.batch.settings import Settings
from clearzoom.batch.tree import Tree, pictures_to_do, target_of
from clearzoom.core.shown import shown
from clearzoom.errors import ClearzoomError, OutputError

PICTURES_AT_ONCE = 3
"""One is decoded and one encoded while another is in the network."""
FAILURES_NAMED = 5
"""Who runs a folder of thousands reads the others in the report."""


@dataclass
class Counts:
    """How many pictures came to which end.

    ``megapixels`` of what was enlarged now, ``failures`` the first few with their errors.
    """

    done: int = 0
    skipped: int = 0
    failed: int = 0
    megapixels: float = 0.0
    failures: list[tuple[str, str]] = field(default_factory=list)

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
    """
    tree = pictures_to_do(source, output, recursive=recursive)
    try:
        output.mkdir(parents=True, exist_ok=True)
        work = _Work(source, output, settings, tree)
    except OSError as error:
        raise OutputError(f"cannot write to {output}: {error.strerror}") from error
    work.run(1 if settings.memory_bytes else PICTURES_AT_ONCE, progress)
    return work.counts


def plan_folder(
    source: Path, output: Path, settings: Settings, *, recursive: bool = False
) -> Iterator[tuple[Path, Job | str]]:
    """Plan what ``enlarge_folder`` would do; nothing is computed or written.

    Args:
        source: as in ``enlarge_folder``.
        output: likewise.
        settings: likewise.
        recursive: likewise.

    Yields:
        Each picture, and each folder that cannot be read, with its plan or why there is none.

    Raises:
        MissingFileError: no such folder, or no picture in it.
        InputError: source cannot be read, or output is source or would replace pictures in it.
        OutputError: this user may not look into output.
    """
    tree = pictures_to_do(source, output, recursive=recursive)
    for folder, reason in tree.unreadable.items():
        yield folder, f"cannot read {folder}: {reason}"
    for path in tree.pictures:
        try:
            yield path, plan_job(path, target_of(path, source, output), settings, makes_folder=True)
        except ClearzoomError as error:
            yield path, shown(error)


class _Work:
    def __init__(self, source: Path, output: Path, settings: Settings, tree: Tree) -> None:
        self.source, self.output, self.tree = source, output, tree
        said = said_settings(settings)
        self.order = Order(Folder(str(source)), Folder(str(output)), settings, said)
        self.counts = Counts()
        self.report = output / NAME
        self.rows = read_report(self.report)
        self.made_here = {row.get("output") for row in self.rows.values() if is_result(row)}
        # A HEIC file's result gets .png after its name, which another picture may have.
        self.first: dict[Path, Path] = {}
        for path in tree.pictures:
            self.first.setdefault(target_of(path, source, output), path)
        self.budget = Budget(settings.memory_bytes)
        self.stop = threading.Event()
        self.writing = threading.Lock()

    def run(self, at_once: int, progress: Progress | None) -> None:
        try:
            with self.report.open("ab") as report, ThreadPoolExecutor(at_once) as pool:
                report.write(b"\n" if report.tell() and not ends_whole(self.report) else b"")
                for folder, reason in self.tree.unreadable.items():
                    row = {"file": self._name(folder)}
                    self._note(report, row | failure("input", f"cannot read {folder}: {reason}"))
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
        upcoming = iter(self.tree.pictures)
        while True:
            while len(waiting) < at_once and (path := next(upcoming, None)):
                waiting.add(pool.submit(self._one, path, report))
            if not waiting:
                break
            finished, waiting = wait(waiting, return_when=FIRST_COMPLETED)
            for future in finished:
                row = future.result()
                self._note(report, row)
                done += 1
                if progress is not None:
                    word = f"{self.counts.megapixels:.1f} MP, {row['file']}"
                    progress(done, len(self.tree.pictures), word)

    def _one(self, path: Path, report: IO[bytes]) -> Row:
        target = target_of(path, self.source, self.output)
        name, output = self._name(path), target.relative_to(self.output).as_posix()
        first = self.first[target]
        made_here = output in self.made_here
        task = Task(
            name,
            output,
            self.rows.get(name, {}),
            self._name(first) if first != path else None,
            made_here,
            made_here,
        )
        return deal_with(task, self.order, partial(self._run_job, report))

    def _run_job(self, report: IO[bytes], job: Job, row: Row) -> Done:
        # Killed between here and the row that says done, the result is known as made here.
        self._append(report, row | {"status": "started"})
        return run_job(job, self._go_on, budget=self.budget)

    def _go_on(self, done: int, total: int) -> None:
        """Between two tiles: end here when the job was stopped by hand."""
        if self.stop.is_set():
            raise KeyboardInterrupt

    def _name(self, path: Path) -> str:
        return path.relative_to(self.source).as_posix()

    def _append(self, report: IO[bytes], row: Row) -> None:
        with self.writing:
            report.write(as_line(row))
            report.flush()

    def _note(self, report: IO[bytes], row: Row) -> None:
        self._append(report, row)
        self.counts.add(row, skipped=row is self.rows.get(row["file"]))
        self.rows[row["file"]] = row

    def _write_report(self) -> None:
        asked = {self._name(path) for path in (*self.tree.pictures, *self.tree.unreadable)}
        rows = lasting_rows(self.rows, asked, lambda name: (self.output / name).is_file())
        write_report(self.report, rows)
