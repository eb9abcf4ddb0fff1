"""Print lines, JSON and progress; standard output is for results only.

Everything that a command prints goes through here, because names and foreign texts may hold
control characters, which a terminal would obey, or characters that its encoding lacks.
"""

import json
import os
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Protocol

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from clearzoom.core.terminal_text import is_printable, printable
from clearzoom.io.terminal import PlainConsole

_LINE_EVERY_S = 30.0


class Report(Protocol):
    """A function that shows how far the work is."""

    def __call__(self, done: int, total: int, word: str = "", /) -> None:
        """Show the parts done, the parts in total and a word on the last part."""


def say(words: object, *, err: bool = False) -> None:
    """Print a line.

    Args:
        words: the line; control characters and line breaks in it are escaped.
        err: print to standard error.
    """
    # Not click's echo, which treats a stream's ASCII encoding as a mistake.
    print(printable(words), file=sys.stderr if err else sys.stdout, flush=True)


def failure_text(name: str, error: str) -> str:
    """Say why a picture failed; its name is not repeated where the error has it."""
    return error if printable(name) in error else f"{name}: {error}"


def say_json(value: Any) -> None:
    """Print an object as JSON; letters that the output can encode are not escaped."""
    text = json.dumps(value, indent=2, ensure_ascii=False)
    try:
        text.encode(sys.stdout.encoding or "ascii")
        plain = is_printable(text)
    except UnicodeEncodeError:
        plain = False
    print(text if plain else json.dumps(value, indent=2), flush=True)


class _Lines:
    """Progress as lines for a log, which go on while one part takes long."""

    def __init__(self, what: str, unit: str, megapixels: float | None) -> None:
        self._what, self._unit, self._megapixels = what, unit, megapixels
        self._began_s = time.monotonic()
        self._known = ""
        self._first: tuple[int, float] | None = None
        self._every_s = _seconds_between_lines()

    @contextmanager
    def running(self) -> Iterator["_Lines"]:
        ended = threading.Event()

        def now_and_then() -> None:
            while not ended.wait(self._every_s):
                self._say()

        thread = threading.Thread(target=now_and_then, daemon=True)
        if self._every_s > 0:
            thread.start()
        try:
            yield self
        finally:
            ended.set()
            if self._every_s > 0:
                thread.join()

    def report(self, done: int, total: int, word: str = "") -> None:
        parts = [f"{done} of {total} {self._unit}", self._rate(done, total), word]
        self._known = ", ".join(filter(None, parts))
        if self._every_s == 0:
            self._say()

    def _rate(self, done: int, total: int) -> str:
        """Return the rate since the first report: parts made before a kill cost no time."""
        now_s = time.monotonic()
        if self._megapixels is None or self._first is None:
            self._first = self._first or (done, now_s)
            return ""
        made = self._megapixels * (done - self._first[0]) / max(total, 1)
        return f"{made / max(now_s - self._first[1], 1e-3):.2f} MP/s"

    def _say(self) -> None:
        seconds = time.monotonic() - self._began_s
        say(f"{self._what}: {', '.join(filter(None, [self._known, f'{seconds:.0f} s']))}", err=True)


def _seconds_between_lines() -> float:
    try:
        seconds = float(os.environ.get("CLEARZOOM_PROGRESS_SECONDS", ""))
    except ValueError:
        return _LINE_EVERY_S
    return min(seconds, threading.TIMEOUT_MAX) if seconds >= 0 else _LINE_EVERY_S


@contextmanager
def progress(what: str, unit: str, megapixels: float | None = None) -> Iterator[Report]:
    """Show a bar on standard error, or print a line now and then if that is no terminal.

    Args:
        what: the work, e.g. "Enlarging".
        unit: the name of its parts, e.g. "tiles".
        megapixels: the size of all parts' results together, to show a rate in MP/s.

    Yields:
        A function that takes (done, total) and optionally a word on the last part.
    """
    console = PlainConsole(stderr=True)
    if not console.is_terminal:
        with _Lines(what, unit, megapixels).running() as lines:
            yield lines.report
        return
    with Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn(unit),
        TimeRemainingColumn(),
        console=console,
        transient=True,
    ) as bar:
        task = bar.add_task(what, total=None)

        def report(done: int, total: int, word: str = "") -> None:
            bar.update(
                task, completed=done, total=total, description=printable(f"{what} {word}".rstrip())
            )

        yield report
