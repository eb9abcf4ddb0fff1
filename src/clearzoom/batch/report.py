"""The report of a folder: a line of JSON for each picture."""

import errno
import io
import json
import os
import stat
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import IO, Any

from clearzoom.errors import OutputError
from clearzoom.io.atomic import whole_file
from clearzoom.io.rights import may_write

NAME = "report.jsonl"

_LONGEST_LINE_BYTES = 2**20
"""Longer ones are none of ours; to understand one of a damaged file could take all memory."""

Row = dict[str, Any]
"""``file`` and ``status``: started, done, failed or left out. Last comes the one that counts."""


def read_report(report: Path) -> dict[str, Row]:
    """Read the rows of earlier runs, by picture; what a death cut and what is damaged is left out.

    Raises:
        OSError: it cannot be read.
    """
    if not report.is_file():
        return {}
    with report.open("rb") as file:
        return _rows(_lines(file))


def rows_of(content: bytes) -> dict[str, Row]:
    """Understand a report as far as it can be understood: the last row of each picture."""
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
    """Whether a line could have been written here: reports come from anywhere, and are edited."""
    if not isinstance(row, dict):
        return False
    named = (row.get("file"), row.get("status"), row.get("output", ""))
    if not all(isinstance(each, str) for each in named):
        return False
    output = named[2]
    within = not output.startswith("/") and ".." not in PurePosixPath(output).parts
    return within and "\0" not in output


def check_report(report: Path) -> None:
    """Refuse at once what a report cannot be written to; a link gives way to a file.

    Raises:
        OutputError: a folder, a pipe or a device, or this user may not write to it.
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
        raise OutputError(f"cannot write {report}: it is no file; take it away")
    if not may_write(report):
        raise OutputError(f"cannot write {report}: {os.strerror(errno.EACCES)}")


def open_report(report: Path) -> IO[bytes]:
    """Open a report to write rows to its end.

    A link gives way to a file with the rows that it leads to: what stands there is another's.

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
        raise OutputError(f"cannot write {report}: it is no file; take it away")
    return os.fdopen(descriptor, "ab")


def write_report(report: Path, rows: Iterable[Row]) -> None:
    """Write a report anew, whole or not at all.

    Raises:
        OutputError: it cannot be written.
    """
    with whole_file(report) as temporary:
        temporary.write_bytes(b"".join(map(as_line, rows)))


def as_line(row: Row) -> bytes:
    """Make a line of a report; names of files that are no UTF-8 keep their bytes."""
    return (json.dumps(row, ensure_ascii=False) + "\n").encode(errors="surrogateescape")


def ends_whole(report: Path) -> bool:
    """Whether the last line of a report was not cut."""
    with report.open("rb") as file:
        file.seek(-1, os.SEEK_END)
        return file.read() == b"\n"


def lasting_rows(
    rows: dict[str, Row], asked: set[str], is_there: Callable[[str], bool]
) -> list[Row]:
    """Choose what a whole report holds: one row a picture, by name.

    It is the same however often the job was broken off. Results of earlier runs over other pictures
    stay in it, as long as they are there.

    Args:
        rows: of all runs.
        asked: pictures of this run.
        is_there: whether the file of this name is in the target.
    """
    return [
        row
        for name, row in sorted(rows.items())
        if name in asked or (is_result(row) and row.get("output") and is_there(row["output"]))
    ]


def is_result(row: Row) -> bool:
    """Whether the file that a row names as output, if it is there, was made here."""
    return row["status"] in ("started", "done") or bool(row.get("older_result"))


def left_out_rows(left_out: Mapping[str, str]) -> dict[str, Row]:
    """Make the rows of what is no picture.

    Args:
        left_out: the kind of each, by name.
    """
    return {
        name: {"file": name, "status": "left out", "kind": kind} for name, kind in left_out.items()
    }
