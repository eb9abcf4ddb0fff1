"""The streams that commands print to: what cannot be printed is one clear error."""

import io
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, TextIO, cast

from clearzoom.errors import OutputError


@contextmanager
def printing() -> Iterator[None]:
    """Have both streams take any character, and refuse with an error of the tree.

    Encodings write out what they lack, where they would raise. What standard output refuses is an
    ``OutputError``. What standard error refuses is lost: there is no place left to say so, and the
    work itself goes on.

    Raises:
        OutputError: what was printed in the block was refused.
    """
    before = sys.stdout, sys.stderr
    for stream in before:
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    sys.stdout = cast(TextIO, _Guarded(before[0], _said_by_error))
    sys.stderr = cast(TextIO, _Guarded(before[1], _lost))
    try:
        yield
    finally:
        sys.stdout, sys.stderr = before


class _Guarded:
    """A stream that deals with failures of its own, so that no library does it in its way."""

    def __init__(self, stream: TextIO | None, failed: Callable[[OSError], None]) -> None:
        # A process that was started without the stream has None; nobody waits for the words.
        self._stream = stream if stream is not None else io.StringIO()
        self._failed = failed

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def write(self, text: str) -> int:
        try:
            return self._stream.write(text)
        except OSError as error:
            self._end(error)
        return len(text)

    def flush(self) -> None:
        try:
            self._stream.flush()
        except OSError as error:
            self._end(error)

    def _end(self, error: OSError) -> None:
        # What is still in the buffer would be refused again when the process ends.
        with suppress(OSError, ValueError):
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, self._stream.fileno())
            os.close(nowhere)
        self._failed(error)


def _said_by_error(error: OSError) -> None:
    raise OutputError(
        f"cannot print to the standard output: {error.strerror}; print to another place "
        "(files that were written stay)"
    ) from error


def _lost(error: OSError) -> None:
    pass
