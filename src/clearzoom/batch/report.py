"""The report of a folder: a line of JSON for each picture."""

import json
import os
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from clearzoom.io.atomic import whole_file

NAME = "report.jsonl"

Row = dict[str, Any]
"""``file`` and ``status``: started, done, failed or left out. Last comes the one that counts."""


def read_report(report: Path) -> dict[str, Row]:
    """Read the rows of earlier runs, by picture; what a death cut and what is damaged is left out.

    Raises:
        OSError: it cannot be read.
    """
    return rows_of(report.read_bytes()) if report.is_file() else {}


def rows_of(content: bytes) -> dict[str, Row]:
    """Understand a report as far as it can be understood: the last row of each picture."""
    rows: dict[str, Row] = {}
    for line in content.splitlines():
        try:
            row = json.loads(line.decode(errors="surrogateescape"))
            as_line(row)
        except (ValueError, RecursionError):
            continue
        if isinstance(row, dict) and all(isinstance(row.get(k), str) for k in ("file", "status")):
            rows[row["file"]] = row
    return rows


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
        if name in asked or (is_result(row) and is_there(row.get("output", "")))
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
