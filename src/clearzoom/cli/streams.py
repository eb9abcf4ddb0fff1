"""Guard the streams that commands print to: a failed print is one clear error."""

import io
import os
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, TextIO, cast

from clearzoom.errors import OutputError


@contextmanager
def printing() -> Iterator[None]:
    """Make both streams accept any character, and report failures as errors of this package.

    Characters that an encoding lacks are escaped. A failed write to standard output raises
    ``OutputError``. A failed write to standard error is ignored: there is no place left to report
    it, and the work itself goes on.

    Raises:
        OutputError: standard output refused something that the block printed.
    """
    before = sys.stdout, sys.stderr
    for stream in before:
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    sys.stdout = cast(TextIO, _Guarded(before[0], _raise_output_error))
    sys.stderr = cast(TextIO, _Guarded(before[1], _ignore))
    try:
        yield
    finally:
        sys.stdout, sys.stderr = before


class _Guarded:
    """A stream that handles its own failed writes, before any library sees them."""

    def __init__(self, stream: TextIO | None, failed: Callable[[OSError], None]) -> None:
        # The stream is None if the process was started without it; then nobody reads the text.
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
        _discard_buffer(self._stream)
        self._failed(error)


def print_file(path: Path) -> None:
    """Print the bytes of a file to standard output.

    Args:
        path: the file.

    Raises:
        OutputError: standard output refuses them.
    """
    try:
        sys.stdout.flush()
        with path.open("rb") as file:
            shutil.copyfileobj(file, sys.stdout.buffer)
        sys.stdout.buffer.flush()
    except OSError as error:
        _discard_buffer(sys.stdout)
        _raise_output_error(error)


def _discard_buffer(stream: TextIO) -> None:
    """Lead a stream to nowhere: what is in its buffer would be refused again at the end."""
    with suppress(OSError, ValueError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)


def _raise_output_error(error: OSError) -> None:
    raise OutputError(
        f"cannot print to the standard output: {error.strerror}; print somewhere else "
        "(files already written stay)"
    ) from error


def _ignore(error: OSError) -> None:
    pass
