"""``-`` as an input and as a result: pictures that come and go through pipes."""

import os
import shutil
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import typer

from clearzoom.cli.streams import print_file
from clearzoom.core.terminal_text import printable
from clearzoom.errors import ClearzoomError, InputError, OutputError
from clearzoom.io.formats import suffix_for
from clearzoom.io.names import result_suffix
from clearzoom.pipeline.paths import is_visible_folder

STREAM = "-"
_INPUT, _OUTPUT = "standard input", "standard output"


@dataclass(frozen=True)
class Ends:
    """Inputs and output with paths in place of ``-``.

    ``folder``: where the copies of piped pictures lie; messages do not name it. ``prints``: whether
    the result goes to standard output, so that nothing else may.
    """

    sources: Sequence[str]
    output: str | None
    folder: str = ""
    prints: bool = False

    def named(self, text: str) -> str:
        """Replace the path of a copy in a text by the name of the stream."""
        return text.replace(self.folder, "") if self.folder else text


@contextmanager
def opened(
    sources: Sequence[str],
    output: str | None,
    result_format: str | None,
    *,
    writes: bool,
    as_json: bool = False,
) -> Iterator[Ends]:
    """Read standard input into a file, and print the file of the result when the block ends.

    The result appears whole or not at all, like a file: it is printed once it is complete.

    Args:
        sources: what the user named; ``-`` is standard input.
        output: the value of ``-o``; ``-`` is standard output, as None is for ``-``.
        result_format: the format of a printed result; None for the input's own.
        writes: whether the block makes the result; a plan does not.
        as_json: whether standard output is for a JSON object.

    Raises:
        InputError: standard input is a terminal, or cannot be read.
        OutputError: standard output is a terminal, or refuses the picture.
    """
    reads = STREAM in sources
    prints = output == STREAM or (reads and output is None)
    if not reads and not prints:
        yield Ends(sources, output)
        return
    if len(sources) > 1:
        raise typer.BadParameter("- is for one picture; give it alone")
    if reads and output is not None and (output.endswith("/") or is_visible_folder(Path(output))):
        raise typer.BadParameter(
            "a picture from standard input has no name; name the file of its result with -o"
        )
    if prints and as_json and writes:
        raise typer.BadParameter("--json and -o - both take standard output; leave one out")
    if prints and writes and (sys.stdout is None or sys.stdout.isatty()):
        raise OutputError(
            "a terminal shows no pictures; redirect standard output to a file or a pipe, or name a "
            "file with -o"
        )
    with TemporaryDirectory(prefix="clearzoom-") as name:
        folder = Path(name)
        ends = Ends(sources, output, f"{name}{os.sep}", prints)
        try:
            source = _read(folder / _INPUT) if reads else Path(sources[0])
            if prints:
                output = str(folder / (_OUTPUT + _suffix(source, result_format, reads)))
            yield Ends([str(source)], output, ends.folder, prints)
            if prints and writes:
                print_file(Path(str(output)))
        except ClearzoomError as error:
            raise error.with_message(ends.named(str(error))) from error


def _read(path: Path) -> Path:
    if sys.stdin is None or sys.stdin.isatty():
        raise InputError(
            "standard input is a terminal; pipe a picture into the command, or name its file"
        )
    try:
        with path.open("wb") as file:
            shutil.copyfileobj(sys.stdin.buffer, file)
    except OSError as error:
        raise InputError(f"cannot read {printable(path)}: {error.strerror}") from error
    return path


def _suffix(source: Path, result_format: str | None, reads: bool) -> str:
    if result_format is not None or not reads:
        return result_suffix(source.name, result_format)
    from clearzoom.io.reading import open_picture

    picture = open_picture(source)
    return suffix_for(picture.kind, animated=picture.frames > 1)
