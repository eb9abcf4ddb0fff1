"""What commands say, and show while they work; standard output stays for results.

Everything that a command prints goes through here: names and other people's words may hold what a
terminal would obey, or characters that it does not have.
"""

import io
import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Protocol

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from clearzoom.core.shown import is_harmless, shown
from clearzoom.io.terminal import PlainConsole


class Report(Protocol):
    """Tells how far the work is."""

    def __call__(self, done: int, total: int, word: str = "", /) -> None:
        """Show it."""


def allow_any_characters() -> None:
    """Have the streams write out what their encoding lacks, where they would raise."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def say(words: object, *, err: bool = False) -> None:
    """Print a line.

    Args:
        words: whatever is in it stays on this line and is not obeyed by a terminal.
        err: to standard error.
    """
    # Not click's echo, which takes the encoding of a stream for a fault where it is ASCII.
    print(shown(words), file=sys.stderr if err else sys.stdout, flush=True)


def say_json(value: Any) -> None:
    """Print an object as JSON; letters stay letters where the output has them."""
    text = json.dumps(value, indent=2, ensure_ascii=False)
    try:
        text.encode(sys.stdout.encoding or "ascii")
        plain = is_harmless(text)
    except UnicodeEncodeError:
        plain = False
    print(text if plain else json.dumps(value, indent=2), flush=True)


@contextmanager
def progress(what: str, unit: str) -> Iterator[Report]:
    """Show a bar on standard error.

    Args:
        what: the work, e.g. "Enlarging".
        unit: of its parts, e.g. "tiles".

    Yields:
        A function to call with (done, total) and, if there is one, a word on the last part.
    """
    console = PlainConsole(stderr=True)
    with Progress(
        TextColumn("{task.description}", markup=False),
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
            bar.update(task, completed=done, total=total, description=shown(f"{what} {word}"))

        yield report
