"""Append the rows of a running batch to its report, where files can grow."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from clearzoom.batch.report import Row, as_line, ends_whole, open_report
from clearzoom.errors import OutputError


@contextmanager
def appended_rows(report: Path) -> Iterator[Callable[[Row], None]]:
    """Append each row to a report, for storage in which files can grow.

    Args:
        report: the file; it is made if it does not exist.

    Yields:
        A function that adds a row; the row is written when it returns.

    Raises:
        OutputError: the report cannot be written.
    """
    writing = threading.Lock()

    def add(row: Row) -> None:
        with writing, _refusals(report):
            file.write(as_line(row))
            file.flush()

    with _refusals(report):
        file = open_report(report)
        if file.tell() and not ends_whole(report):
            file.write(b"\n")
    with file:
        yield add


@contextmanager
def _refusals(report: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise OutputError(f"cannot write {report}: {error.strerror}") from error
