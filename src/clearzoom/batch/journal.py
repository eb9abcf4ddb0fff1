"""Journal the rows of a running batch in parts, for storage in which files cannot grow."""

import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from clearzoom.batch.report import Row, as_line, rows_of
from clearzoom.batch.storage import Storage

_FOLDER = ".clearzoom-report"
_PART = re.compile(r"/[0-9]{8,15}\.jsonl$")
_ROWS, _SECONDS = 500, 15.0
"""Flush after 500 rows or 15 s: a crash loses at most this much."""


@contextmanager
def journalled_rows(target: Storage) -> Iterator[Callable[[Row], None]]:
    """Write rows in parts of many rows, for storage in which files cannot grow.

    Args:
        target: gets the parts in a folder of their own, numbered after those that are there.

    Yields:
        A function that adds a row; ``_ROWS`` and ``_SECONDS`` say when it is written.

    Raises:
        OutputError: a part cannot be written.
    """
    parts = journal_parts(target)
    number = int(parts[-1].rpartition("/")[2].partition(".")[0]) if parts else 0
    rows: list[Row] = []
    flushed_s = time.monotonic()

    def flush() -> None:
        nonlocal number, flushed_s
        if rows:
            number += 1
            target.write(f"{_FOLDER}/{number:08d}.jsonl", b"".join(map(as_line, rows)))
            rows.clear()
        flushed_s = time.monotonic()

    def add(row: Row) -> None:
        rows.append(row)
        if len(rows) >= _ROWS or time.monotonic() - flushed_s > _SECONDS:
            flush()

    try:
        yield add
    finally:
        flush()


def journal_parts(target: Storage) -> list[str]:
    """List the parts of a journal that a batch left, in the order in which they were written."""
    return [name for name in target.names(_FOLDER) if _PART.search(name)]


def journal_rows(target: Storage) -> dict[str, Row]:
    """Read the last row of each picture in the journal that a batch left.

    Raises:
        OutputError: a part cannot be read.
    """
    rows: dict[str, Row] = {}
    for name in journal_parts(target):
        rows |= rows_of(target.read(name) or b"")
    return rows
