"""Enlarge a folder of pictures: mirrored, skipping what is done, with a report."""

import hashlib
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO

from clearzoom.batch.budget import Budget
from clearzoom.batch.job import Job, plan_job, run_job
from clearzoom.batch.paths import check_input, is_there, output_stat
from clearzoom.batch.report import (
    NAME,
    Row,
    as_line,
    ends_whole,
    is_result,
    read_report,
    write_report,
)
from clearzoom.batch.settings import Settings
from clearzoom.batch.tree import Tree, pictures_to_do, target_of
from clearzoom.errors import ClearzoomError, InputError, OutputError

_PICTURES_AT_ONCE = 3
"""One is decoded and one encoded while another is in the network."""


@dataclass
class Counts:
    """How many pictures came to which end; ``megapixels`` of what was enlarged now."""

    done: int = 0
    skipped: int = 0
    failed: int = 0
    megapixels: float = 0.0


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
    work.run(1 if settings.memory_bytes else _PICTURES_AT_ONCE, progress)
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
            yield path, " ".join(str(error).split())


class _Work:
    def __init__(self, source: Path, output: Path, settings: Settings, tree: Tree) -> None:
        self.source, self.output, self.settings, self.tree = source, output, settings, tree
        self.counts = Counts()
        self.said = hashlib.sha256(_said(settings).encode()).hexdigest()[:16]
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
                    self._note(report, row | _failure("input", f"cannot read {folder}: {reason}"))
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
        row: Row = {"file": self._name(path), "output": target.relative_to(self.output).as_posix()}
        try:
            return self._enlarged(path, target, row, report)
        except ClearzoomError as error:
            row |= _failure(error.code, str(error))
        except OSError as error:
            row |= _failure("input", str(error))
        except Exception as error:  # a fault of this program must not stop the others either
            row |= _failure("internal", f"{type(error).__name__}: {error}")
        if row["output"] in self.made_here and is_there(target):
            row["older_result"] = True
        return row

    def _enlarged(self, path: Path, target: Path, row: Row, report: IO[bytes]) -> Row:
        check_input(path)
        if self.first[target] != path:
            raise InputError(
                f"{target} is the result of {self.first[target]}; rename one of the two"
            )
        if output_stat(target) is not None and row["output"] not in self.made_here:
            raise OutputError(
                f"{target} exists and was not made here; take it away or name another folder"
            )
        try:
            with path.open("rb") as file:
                row["sha256"] = hashlib.file_digest(file, "sha256").hexdigest()
        except OSError as error:
            raise InputError(f"cannot read {path}: {error.strerror}") from error
        row["settings"] = self.said
        before = self.rows.get(row["file"], {})
        if _is_done(before, row, target):
            return before
        job = plan_job(path, target, self.settings, makes_folder=True)
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise OutputError(f"cannot make {target.parent}: {error.strerror}") from error
        # Killed between here and the row that says done, the result is known as made here.
        self._append(report, row | {"status": "started"})
        done = run_job(job, self._go_on, budget=self.budget)
        return row | {
            "status": "done",
            "width_px": done.width_px,
            "height_px": done.height_px,
            "bytes": target.stat().st_size,
            "notes": list(done.notes),
        }

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
        if row["status"] == "failed":
            self.counts.failed += 1
        elif row is self.rows.get(row["file"]):
            self.counts.skipped += 1
        else:
            self.counts.done += 1
            self.counts.megapixels += row["width_px"] * row["height_px"] / 1e6
        self.rows[row["file"]] = row

    def _write_report(self) -> None:
        """One line a picture, by name: the same bytes however often the job was broken off.

        Results of earlier runs over other pictures stay in it, as long as they are there.
        """
        asked = {self._name(path) for path in (*self.tree.pictures, *self.tree.unreadable)}
        rows = [
            row
            for name, row in sorted(self.rows.items())
            if name in asked or (is_result(row) and (self.output / row.get("output", "")).is_file())
        ]
        write_report(self.report, rows)


def _said(settings: Settings) -> str:
    from clearzoom import __version__
    from clearzoom.weights import card_files

    # Other weights under the same name are another job; limits do not change a result.
    own = Path(settings.model)
    files = [own] if own.suffix == ".onnx" else card_files(own.name)
    cards = [file.read_bytes() for file in files if file.is_file()]
    same = replace(settings, memory_bytes=None, max_pixels=0)
    return f"{__version__} {same} {hashlib.sha256(b''.join(cards)).hexdigest()}"


def _failure(code: str, reason: str) -> Row:
    return {"status": "failed", "code": code, "error": " ".join(reason.split())}


def _is_done(before: Row, row: Row, target: Path) -> bool:
    same = all(before.get(key) == row[key] for key in ("sha256", "settings", "output"))
    return (
        same
        and before.get("status") == "done"
        and target.is_file()
        and target.stat().st_size == before.get("bytes")
    )
