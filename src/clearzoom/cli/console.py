"""What commands show while they work; standard output stays for results."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn


class Report(Protocol):
    """Tells how far the work is."""

    def __call__(self, done: int, total: int, word: str = "", /) -> None:
        """Show it."""


@contextmanager
def progress(what: str, unit: str) -> Iterator[Report]:
    """Show a bar on standard error.

    Args:
        what: the work, e.g. "Enlarging".
        unit: of its parts, e.g. "tiles".

    Yields:
        A function to call with (done, total) and, if there is one, a word on the last part.
    """
    console = Console(stderr=True)
    with Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn(unit),
        TimeRemainingColumn(),
        console=console,
        transient=True,
        disable=not console.is_terminal,  # in a pipe there is nobody to watch
    ) as bar:
        task = bar.add_task(what, total=None)

        def report(done: int, total: int, word: str = "") -> None:
            bar.update(task, completed=done, total=total, description=f"{what} {word}".strip())

        yield report
