"""Enlarge whatever holds a picture, and give the same kind of thing back."""

import inspect
import logging
import os
import re
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from io import UnsupportedOperation
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from clearzoom.checked import checked_path
from clearzoom.engines.tiled import Progress
from clearzoom.errors import (
    CancelledError,
    ClearzoomError,
    InputError,
    MissingFileError,
    OutputError,
)
from clearzoom.io.libvips_errors import refused
from clearzoom.io.missing import missing_file, near_name
from clearzoom.pipeline.arrays import check_array, enlarge_array
from clearzoom.pipeline.beside import beside
from clearzoom.pipeline.encoded import enlarge_encoded
from clearzoom.pipeline.forked import check_not_forked
from clearzoom.pipeline.job import plan_job
from clearzoom.pipeline.options import in_keywords
from clearzoom.pipeline.pil_pictures import enlarge_pil
from clearzoom.pipeline.progress import check_calls, check_not_cancelled, in_turn, stopping
from clearzoom.pipeline.run import run_job
from clearzoom.pipeline.settings import Settings

Tell = Callable[[str], object]
"""What is called with each note."""

_Work = Callable[[Progress | None], tuple[Any, Iterable[str]]]
"""Enlarges a picture, and returns the result and notes."""

_ADDRESS = re.compile(r"[a-z][a-z0-9+]+:(//|image/)", re.IGNORECASE)
"""Begins a web address, or a picture within one (data:image/png;base64,...)."""

_log = logging.getLogger("clearzoom")
_INSTEAD = {
    ("torch", "Tensor"): "tensor.movedim(-3, -1).numpy(), or tensor.numpy() if channels come last",
    ("pandas", "Series"): "series.tolist()",
    ("builtins", "generator"): "list(pictures)",
    ("builtins", "list"): "one list of pictures, and levels as numpy.asarray(levels)",
}
"""What is right where a type is wrong, by the type's package and name."""

_KINDS = "a path, bytes, a binary file, a PIL picture, a numpy array, or a list of these"


@dataclass(frozen=True)
class _Order:
    """What all pictures of a call share.

    Attributes:
        settings: the user's settings.
        output: the file or folder of the results, or None.
        many: whether the pictures came in a list, so that output is a folder.
        targets: the paths of results so far.
    """

    settings: Settings
    output: str | Path | None
    many: bool
    targets: set[Path] = field(default_factory=set)


def enlarge_any(
    picture: Any,
    settings: Settings,
    output: str | Path | None = None,
    progress: Progress | None = None,
    cancel: threading.Event | None = None,
    notes: Tell | None = None,
) -> Any:
    """Enlarge a picture of any kind, or a list of them.

    All pictures of a list are looked at before the first is enlarged.

    Args:
        picture: a path, bytes, a binary file, a PIL picture, an array, or a list or tuple of these.
        settings: the user's settings.
        output: for paths, the result's path or folder.
        progress: is called with (tiles done, tiles in all).
        cancel: ends the work after the running tile once it is set.
        notes: is called with each note once its picture is done; without it, notes are warnings in
            the log.

    Raises:
        CancelledError: cancel was set.
        ClearzoomError: a picture cannot be enlarged; the message names keywords.
    """
    check_calls(progress, cancel, notes)
    tell = notes or _log.warning
    with in_keywords():
        order = _Order(settings, output, isinstance(picture, list | tuple))
        if not order.many:
            check_not_cancelled(cancel)
            where = f"{picture}: " if isinstance(picture, str | Path) else ""
            return _told(_work(picture, order)(stopping(progress, cancel)), where, tell)
        works = [_work_of_list(index, each, order) for index, each in enumerate(picture)]
        results = []
        for index, work in enumerate(works):
            check_not_cancelled(cancel)
            done = work(stopping(in_turn(progress, index, len(works)), cancel))
            results.append(_told(done, _in_list(index), tell))
        return results


def _told(done: tuple[Any, Iterable[str]], where: str, tell: Tell) -> Any:
    """Return a result, once its notes are told."""
    result, notes = done
    for note in notes:
        tell(f"{where}{note}")
    return result


def _in_list(index: int) -> str:
    return f"picture {index} of the list: "


def _work_of_list(index: int, picture: Any, order: _Order) -> _Work:
    def named(error: ClearzoomError) -> ClearzoomError:
        return error.with_message(f"{_in_list(index)}{error}")

    try:
        work = _work(picture, order)
    except ClearzoomError as error:
        raise named(error) from error

    def run(progress: Progress | None) -> tuple[Any, Iterable[str]]:
        try:
            return work(progress)
        except CancelledError:
            raise
        except ClearzoomError as error:
            raise named(error) from error

    return run


def _work(picture: Any, order: _Order) -> _Work:
    """Check a picture, and return what enlarges it."""
    settings = order.settings
    if not isinstance(picture, np.ndarray):
        check_not_forked()
    if isinstance(picture, str | Path):
        return _work_of_file(picture, order)
    if order.output is not None:
        raise InputError(
            "`output` is for pictures that are given by path; what is returned for others is the "
            "result, to be saved as usual",
            setting="output",
        )
    if isinstance(picture, bytes | bytearray | memoryview):
        return _work_of_bytes(picture, settings)
    if callable(getattr(picture, "read", None)):
        return lambda progress: enlarge_encoded(_content(picture), settings, progress)
    if isinstance(picture, np.ndarray):
        check_array(picture)
        return lambda progress: enlarge_array(picture, settings, progress)
    if isinstance(picture, Image.Image):
        return lambda progress: enlarge_pil(picture, settings, progress)
    kind = type(picture)
    right = _INSTEAD.get((kind.__module__.partition(".")[0], kind.__name__), _KINDS)
    what = "None" if picture is None else f"a value of the type {kind.__name__}"
    raise InputError(f"cannot enlarge {what}; give {right}")


def _work_of_bytes(picture: bytes | bytearray | memoryview, settings: Settings) -> _Work:
    def run(progress: Progress | None) -> tuple[Any, Iterable[str]]:
        encoded, notes = enlarge_encoded(bytes(picture), settings, progress)
        return type(picture)(encoded), notes

    return run


def _content(file: Any) -> bytes:
    try:
        content = file.read()
    except UnicodeDecodeError as error:
        raise InputError("the file is open as text; open it in binary mode, 'rb'") from error
    except UnsupportedOperation as error:
        raise InputError("the file is open for writing only; open it with 'rb'") from error
    except (OSError, ValueError) as error:  # of a file that is closed
        raise InputError(f"cannot read the file: {error}; open it with 'rb'") from error
    if inspect.iscoroutine(content):
        content.close()
        raise InputError("the file must be awaited; give what `await file.read()` returns")
    if not isinstance(content, bytes):
        raise InputError(
            f"the file gave a {type(content).__name__}, not bytes; open it in binary mode, 'rb'"
        )
    return content


def _work_of_file(picture: str | Path, order: _Order) -> _Work:
    source = checked_path(picture)
    if not source.is_file():
        if source.exists():
            raise InputError(f"{source} is no file; name a picture")
        if _ADDRESS.match(str(picture)):
            raise MissingFileError(
                f"{picture} is an address, and nothing is fetched; give the bytes of its answer"
            )
        raise missing_file(source, _name_hint(source) or near_name(source))
    target = _target(source, order)
    if target in order.targets:
        raise OutputError(f"{target} would be the result of two pictures; rename one of the two")
    order.targets.add(target)

    def run(progress: Progress | None) -> tuple[str | Path, Iterable[str]]:
        if order.output is not None and _is_folder(order.output, many=order.many):
            try:
                target.parent.mkdir(parents=True, exist_ok=True)
            except OSError as error:
                raise refused(target, error) from error
        done = run_job(plan_job(source, target, order.settings), progress)
        return type(picture)(target), done.notes

    return run


def _name_hint(missing: Path) -> str | None:
    """Say what is wrong with the name of a file that is not there, where a shell would know it."""
    if missing.parts[0].startswith("~"):
        return "give Path(name).expanduser(), since ~ is a word of shells"
    if missing.parent.is_dir() and any(letter in missing.name for letter in "*?["):
        return f"give list(Path({str(missing.parent)!r}).glob({missing.name!r}))"
    return None


def _target(source: Path, order: _Order) -> Path:
    """Return the path of a result; one whose name is chosen here replaces no file."""
    folder = source.parent
    if order.output is not None:
        given = checked_path(order.output, "output")
        if not _is_folder(order.output, many=order.many):
            return given
        folder = given
    named = folder / beside(source, order.settings.wanted, order.settings.format).name
    target = checked_path(named, "the result's path")
    if target.exists():
        raise OutputError(f"{target} exists; remove it, or name the result as `output`")
    return target


def _is_folder(output: str | Path, *, many: bool) -> bool:
    """Tell whether an output is a folder, which may have to be made."""
    return many or Path(output).is_dir() or str(output).endswith(("/", os.sep))
