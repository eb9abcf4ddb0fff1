"""The report of a folder: a line of JSON for each picture."""

import errno
import io
import json
import os
import stat
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import IO, Any

from clearzoom.errors import OutputError
from clearzoom.io.atomic import whole_file
from clearzoom.io.rights import may_write

NAME = "report.jsonl"

FAILURES_NAMED = 5
"""The report names the others, which may be thousands."""

_LONGEST_LINE_BYTES = 2**20
"""Longer lines were not written here; parsing one of a damaged file could take all memory."""

Row = dict[str, Any]
"""``file`` and ``status`` (started, done, failed or left out); the last row of a file counts."""


@dataclass
class Counts:
    """How many pictures were enlarged, were skipped, or failed.

    ``megapixels``: of the results made now. ``failures``: the first few files with their errors.
    ``noted``: how many results have notes. ``left_out``: the kinds of the files that are not
    pictures.
    """

    done: int = 0
    skipped: int = 0
    failed: int = 0
    noted: int = 0
    megapixels: float = 0.0
    failures: list[tuple[str, str]] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)
    _began_s: float = field(default_factory=time.monotonic, repr=False, compare=False)

    @property
    def finished(self) -> int:
        """The number of pictures that have a row."""
        return self.done + self.skipped + self.failed

    def rate_text(self, file: str) -> str:
        """Give the rate so far and the last picture, for the display of progress."""
        rate = self.megapixels / max(time.monotonic() - self._began_s, 1e-3)
        return f"{self.megapixels:.1f} MP, {rate:.2f} MP/s, {file}"

    def add(self, row: Row, *, skipped: bool) -> None:
        """Count the last row of a picture."""
        self.noted += bool(row["status"] != "failed" and row.get("notes"))
        if row["status"] == "failed":
            self.failed += 1
            if self.failed <= FAILURES_NAMED:
                self.failures.append((row["file"], row["error"]))
        elif skipped:
            self.skipped += 1
        else:
            self.done += 1
            self.megapixels += row["width_px"] * row["height_px"] / 1e6


def read_report(report: Path) -> dict[str, Row]:
    """Read the rows of earlier runs, by picture; damaged lines, and one cut by a kill, are skipped.

    Raises:
        OSError: the report cannot be read.
    """
    if not report.is_file():
        return {}
    with report.open("rb") as file:
        return _rows(_lines(file))


def rows_of(content: bytes) -> dict[str, Row]:
    """Parse a report as far as possible, and give the last row of each picture."""
    return _rows(_lines(io.BytesIO(content)))


def _rows(lines: Iterable[bytes]) -> dict[str, Row]:
    rows: dict[str, Row] = {}
    for line in lines:
        try:
            row = json.loads(line.decode(errors="surrogateescape"))
            as_line(row)
        except (ValueError, RecursionError):
            continue
        if _is_row(row):
            rows[row["file"]] = row
    return rows


def _lines(file: IO[bytes]) -> Iterator[bytes]:
    whole = True
    while line := file.readline(_LONGEST_LINE_BYTES):
        starts, whole = whole, line.endswith(b"\n")
        if starts and (whole or len(line) < _LONGEST_LINE_BYTES):
            yield line


def _is_row(row: Any) -> bool:
    """Whether a line could have been written here: a person may have edited the report."""
    if not isinstance(row, dict):
        return False
    named = (row.get("file"), row.get("status"), row.get("output", ""))
    if not all(isinstance(each, str) for each in named):
        return False
    output = named[2]
    within = not output.startswith("/") and ".." not in PurePosixPath(output).parts
    return within and "\0" not in output


def check_report(report: Path) -> None:
    """Refuse a path at which no report can be written; a link would be replaced by a file.

    Raises:
        OutputError: it is a folder, a pipe or a device, or this user may not write to it.
    """
    try:
        mode = report.lstat().st_mode
    except (FileNotFoundError, NotADirectoryError):
        return
    except OSError as error:
        raise OutputError(f"cannot write {report}: {error.strerror}") from error
    if stat.S_ISLNK(mode):
        return
    if not stat.S_ISREG(mode):
        raise OutputError(f"cannot write {report}: it is no file; remove it")
    if not may_write(report):
        raise OutputError(f"cannot write {report}: {os.strerror(errno.EACCES)}")


def open_report(report: Path) -> IO[bytes]:
    """Open a report to append rows.

    A link is replaced by a file with the same rows, as the file it leads to is another's.

    Raises:
        OutputError: it is a pipe or a device, or cannot be written.
    """
    if report.is_symlink():
        write_report(report, read_report(report).values())
    flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT
    for name in ("O_NOFOLLOW", "O_NONBLOCK", "O_BINARY", "O_CLOEXEC"):  # a pipe must not block
        flags |= getattr(os, name, 0)
    descriptor = os.open(report, flags, 0o666)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OutputError(f"cannot write {report}: it is no file; remove it")
    return os.fdopen(descriptor, "ab")


def write_report(report: Path, rows: Iterable[Row]) -> None:
    """Write a report anew, whole or not at all.

    Raises:
        OutputError: the report cannot be written.
    """
    with whole_file(report) as temporary:
        temporary.write_bytes(b"".join(map(as_line, rows)))


def as_line(row: Row) -> bytes:
    """Make a line of a report; names of files that are not UTF-8 keep their bytes."""
    return (json.dumps(row, ensure_ascii=False) + "\n").encode(errors="surrogateescape")


def ends_whole(report: Path) -> bool:
    """Whether the last line of a report was not cut."""
    with report.open("rb") as file:
        file.seek(-1, os.SEEK_END)
        return file.read() == b"\n"


def lasting_rows(rows: dict[str, Row], own: set[str], there: set[str]) -> list[Row]:
    """Choose the rows of a whole report: one for each picture, by name.

    They are the same however often the batch was interrupted. Results of earlier runs over other
    pictures stay in the report as long as they exist.

    Args:
        rows: the rows of all runs.
        own: the pictures of this run.
        there: the outputs of other pictures that exist in the target.
    """
    return [
        row
        for name, row in sorted(rows.items())
        if name in own or (is_result(row) and row.get("output") in there)
    ]


def is_result(row: Row) -> bool:
    """Whether the file that a row names as output, if it is there, was made here."""
    return row["status"] in ("started", "done") or bool(row.get("older_result"))


def left_out_rows(left_out: Mapping[str, str]) -> dict[str, Row]:
    """Make the rows of files that are not pictures.

    Args:
        left_out: the kind of each file, by name.
    """
    return {
        name: {"file": name, "status": "left out", "kind": kind} for name, kind in left_out.items()
    }
