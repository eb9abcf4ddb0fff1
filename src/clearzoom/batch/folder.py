"""Enlarge a folder of pictures: mirrored, skipping what is done, with a report."""

import hashlib
import json
import os
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from clearzoom.batch.job import plan_job, run_job
from clearzoom.batch.settings import Settings
from clearzoom.errors import ClearzoomError, InputError, MissingFileError, OutputError
from clearzoom.io.atomic import whole_file
from clearzoom.io.formats import SUFFIXES

REPORT = "report.jsonl"

_READ_ONLY_SUFFIXES = (".heic", ".heif")
_PICTURES_AT_ONCE = 3
"""One is decoded and one encoded while another is in the network."""


@dataclass
class Counts:
    """How many pictures came to which end; ``megapixels`` of what was enlarged now."""

    done: int = 0
    skipped: int = 0
    failed: int = 0
    megapixels: float = 0.0


Row = dict[str, Any]
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

    Args:
        source: is only read; links to folders are not followed.
        output: is made; report.jsonl in it has a line for each picture, by name.
        settings: for every picture. With a limit of memory, one picture at a time.
        recursive: also the folders in it.
        progress: is told after each picture.

    Raises:
        MissingFileError: no such folder, or no picture in it.
        InputError: output is source.
        OutputError: output cannot be written.
    """
    if output.exists() and output.resolve() == source.resolve():
        raise InputError(f"{output} is the input itself; name another folder")
    if output.suffix.lower() in SUFFIXES and not output.is_dir():
        raise InputError(f"{source} is a folder, so name a folder for the results, not {output}")
    files = list(_pictures(source, output, recursive=recursive))
    if not files:
        raise MissingFileError(f"no picture ({', '.join(SUFFIXES)}) in {source}")
    try:
        output.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"cannot make {output}: {error.strerror}") from error
    work = _Work(source, output, settings, files)
    work.run(1 if settings.memory_bytes else _PICTURES_AT_ONCE, progress)
    return work.counts


def _pictures(source: Path, output: Path, *, recursive: bool) -> Iterator[Path]:
    if not source.is_dir():
        raise MissingFileError(f"no folder {source}")
    own = output.resolve()
    for folder, below, names in os.walk(source):
        here = Path(folder)
        below[:] = sorted(
            name
            for name in below
            if recursive and not name.startswith(".clearzoom-") and (here / name).resolve() != own
        )
        for name in sorted(names):
            if Path(name).suffix.lower() in (*SUFFIXES, *_READ_ONLY_SUFFIXES):
                yield here / name


class _Work:
    def __init__(self, source: Path, output: Path, settings: Settings, files: list[Path]) -> None:
        self.source, self.output, self.settings, self.files = source, output, settings, files
        self.counts = Counts()
        self.said = hashlib.sha256(_said(settings).encode()).hexdigest()[:16]
        self.report = output / REPORT
        self.rows = _read_report(self.report)

    def run(self, at_once: int, progress: Progress | None) -> None:
        done = 0
        try:
            with self.report.open("ab") as report, ThreadPoolExecutor(at_once) as pool:
                report.write(b"\n" if report.tell() and not _ends_whole(self.report) else b"")
                waiting: set[Future[Row]] = set()
                upcoming = iter(self.files)
                try:
                    while True:
                        while len(waiting) < at_once and (path := next(upcoming, None)):
                            waiting.add(pool.submit(self._one, path))
                        if not waiting:
                            break
                        finished, waiting = wait(waiting, return_when=FIRST_COMPLETED)
                        for future in finished:
                            row = future.result()
                            self._count(row)
                            self.rows[row["file"]] = row
                            report.write(_line(row))
                            report.flush()
                            done += 1
                            if progress is not None:
                                word = f"{self.counts.megapixels:.1f} MP, {row['file']}"
                                progress(done, len(self.files), word)
                except BaseException:
                    pool.shutdown(cancel_futures=True)
                    raise
            self._write_report()
        except OSError as error:
            raise OutputError(f"cannot write {self.report}: {error.strerror}") from error

    def _one(self, path: Path) -> Row:
        name = path.relative_to(self.source).as_posix()
        target = self.output / _target_name(path.relative_to(self.source))
        row: Row = {"file": name, "output": target.relative_to(self.output).as_posix()}
        try:
            with path.open("rb") as file:
                row["sha256"] = hashlib.file_digest(file, "sha256").hexdigest()
            row["settings"] = self.said
            before = self.rows.get(name, {})
            if _is_done(before, row, target):
                return before
            target.parent.mkdir(parents=True, exist_ok=True)
            done = run_job(plan_job(path, target, self.settings))
        except (ClearzoomError, OSError) as error:
            code = error.code if isinstance(error, ClearzoomError) else "input"
            return row | _failure(code, str(error))
        except Exception as error:  # a fault of this program must not stop the others either
            return row | _failure("internal", f"{type(error).__name__}: {error}")
        return row | {
            "status": "done",
            "width_px": done.width_px,
            "height_px": done.height_px,
            "bytes": target.stat().st_size,
            "notes": list(done.notes),
        }

    def _count(self, row: Row) -> None:
        if row["status"] == "failed":
            self.counts.failed += 1
        elif row is self.rows.get(row["file"]):
            self.counts.skipped += 1
        else:
            self.counts.done += 1
            self.counts.megapixels += row["width_px"] * row["height_px"] / 1e6

    def _write_report(self) -> None:
        """One line a picture, by name: the same bytes however often the job was broken off."""
        names = sorted(path.relative_to(self.source).as_posix() for path in self.files)
        with whole_file(self.report) as temporary:
            temporary.write_bytes(b"".join(_line(self.rows[name]) for name in names))


def _said(settings: Settings) -> str:
    from clearzoom import __version__
    from clearzoom.weights import FOLDER

    # Other weights under the same name are another job.
    own = Path(settings.model)
    files = [own] if own.suffix == ".onnx" else sorted(FOLDER.glob(f"{own.name}-x*.json"))
    cards = [file.read_bytes() for file in files if file.is_file()]
    return f"{__version__} {settings} {hashlib.sha256(b''.join(cards)).hexdigest()}"


def _failure(code: str, reason: str) -> Row:
    return {"status": "failed", "code": code, "error": " ".join(reason.split())}


def _target_name(relative: Path) -> Path:
    if relative.suffix.lower() in SUFFIXES:
        return relative
    return relative.with_name(f"{relative.name}.png")


def _is_done(before: Row, row: Row, target: Path) -> bool:
    same = all(before.get(key) == row[key] for key in ("sha256", "settings", "output"))
    return (
        same
        and before.get("status") == "done"
        and target.is_file()
        and target.stat().st_size == before.get("bytes")
    )


def _line(row: Row) -> bytes:
    return (json.dumps(row, ensure_ascii=False) + "\n").encode(errors="surrogateescape")


def _ends_whole(report: Path) -> bool:
    with report.open("rb") as file:
        file.seek(-1, os.SEEK_END)
        return file.read() == b"\n"


def _read_report(report: Path) -> dict[str, Row]:
    """Read the lines of an earlier run; one that its death cut is left out."""
    rows: dict[str, Row] = {}
    if not report.is_file():
        return rows
    for line in report.read_bytes().splitlines():
        try:
            row = json.loads(line)
            rows[row["file"]] = row
        except (ValueError, KeyError, TypeError):
            continue
    return rows
