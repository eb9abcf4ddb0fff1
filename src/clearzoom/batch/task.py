"""One picture of a batch: how it is checked and planned, and the rows that report its failure."""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from clearzoom.batch.naming import ResultName
from clearzoom.batch.report import Row, is_result
from clearzoom.batch.storage import Storage
from clearzoom.batch.store_errors import no_room_for_copies
from clearzoom.core.terminal_text import printable
from clearzoom.errors import ClearzoomError, FullDiskError, InputError, OutputError, worded
from clearzoom.pipeline.job import Job, plan_job
from clearzoom.pipeline.request import option_of
from clearzoom.pipeline.settings import Settings


@dataclass(frozen=True)
class Task:
    """A picture to enlarge. ``file``: its name in the source. ``output``: that of its result.

    ``before``: its row in the report so far. ``clash``: the other picture with the same result.
    ``made_here``: an earlier run made the file at ``output``. ``may_replace``: the file at
    ``output`` may be replaced: it was made here, or the batch claimed the name when nothing was
    there, so a worker that died wrote what is there now.
    """

    file: str
    output: str
    before: Row
    clash: str | None
    made_here: bool
    may_replace: bool


@dataclass(frozen=True)
class BatchContext:
    """What all pictures of a batch share. ``settings_digest`` stands for the settings in rows."""

    source: Storage
    target: Storage
    settings: Settings
    settings_digest: str

    @classmethod
    def of(cls, source: Storage, target: Storage, settings: Settings) -> "BatchContext":
        """Make the context of a batch."""
        return cls(source, target, settings, digest_of(settings))

    def failure(self, error: Exception) -> Row:
        """Give the part of a row that reports an error: ``status``, ``code`` and ``error``."""
        text = self.source.without_copies(self.target.without_copies(str(error)))
        if isinstance(error, FullDiskError) and text != str(error) and "TMPDIR" not in text:
            error = no_room_for_copies()  # the disk of a copy is not that of the store
            text = str(error)
        if isinstance(error, ClearzoomError):
            return failure(error.code, text)
        if isinstance(error, OSError):
            return failure("input", text)
        return failure("internal", f"{type(error).__name__}: {text}")  # a fault of this program

    def unreadable(self, folder: str, reason: str) -> Row:
        """Give the row of a folder of the source that could not be read."""
        text = f"cannot read {self.source.path(folder)}: {reason}"
        return {"file": folder} | failure("input", text)


def tasks_of(names: Mapping[str, ResultName], rows: Mapping[str, Row]) -> list[Task]:
    """Give the tasks of a batch.

    Args:
        names: the names of the results, by picture.
        rows: the report so far, by picture.
    """
    made_here = {row.get("output") for row in rows.values() if is_result(row)}
    return [
        Task(
            name,
            named.output,
            rows.get(name, {}),
            named.clash,
            named.output in made_here,
            named.output in made_here,
        )
        for name, named in names.items()
    ]


def claimed(tasks: Iterable[Task], there: set[str]) -> list[Task]:
    """Let tasks replace what appears, while the batch runs, at names where nothing is now.

    Args:
        tasks: of a batch that has not begun.
        there: the outputs at which there is a file.
    """
    return [replace(task, may_replace=task.made_here or task.output not in there) for task in tasks]


def plan_task(task: Task, context: BatchContext, row: Row | None = None) -> Job | None:
    """Check and plan a picture; nothing is computed or written.

    Args:
        task: the picture.
        context: the batch.
        row: gets the hash of the picture's content and the settings, if it is not None.

    Returns:
        The plan, or None for a picture that was enlarged before.

    Raises:
        InputError: and its kinds: the picture cannot be enlarged, or its result has the name of
            another picture's.
        OutputError: the result cannot be written, or would replace a file that was not made here.
        ModelError: no such weights.
    """
    source, target = context.source, context.target
    source.fetch(task.file)
    path, result = source.path(task.file), target.path(task.output)
    if task.clash is not None:
        raise InputError(
            f"{result} is the result of {source.path(task.clash)}; rename one of the two"
        )
    there_bytes = target.size_bytes(task.output)
    if there_bytes is not None and not task.may_replace:
        raise OutputError(
            f"{result} exists and was not made here; remove it or name another folder"
        )
    if row is not None or task.before.get("status") == "done":
        seen = {"sha256": content_sha256(path), "settings": context.settings_digest}
        if row is not None:
            row |= seen
        if _is_done(task.before, seen | {"output": task.output}, there_bytes):
            return None
    return plan_job(path, result, context.settings, makes_folder=True)


def content_sha256(path: Path) -> str:
    """Hash the content of a file.

    Raises:
        InputError: the file cannot be read.
    """
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror}") from error


def failure(code: str, reason: str) -> Row:
    """Give the part of a row that reports why a picture failed, with settings as options."""
    return {"status": "failed", "code": code, "error": printable(worded(reason, option_of))}


def digest_of(settings: Settings) -> str:
    """Hash what determines a result: settings, weights and the version of clearzoom."""
    from clearzoom.version import __version__
    from clearzoom.weights import card_files

    # Other weights under the same name are another job; limits do not change a result.
    own = Path(settings.model)
    files = [own] if own.suffix == ".onnx" else card_files(own.name)
    cards = [file.read_bytes() for file in files if file.is_file()]
    # The format stands in the result's name.
    same = replace(settings, memory_bytes=None, max_pixels=1, format=None)
    text = f"{__version__} {same} {hashlib.sha256(b''.join(cards)).hexdigest()}"
    return hashlib.sha256(text.encode(errors="surrogateescape")).hexdigest()[:16]


def _is_done(before: Row, seen: Row, there_bytes: int | None) -> bool:
    same = all(before.get(key) == value for key, value in seen.items())
    return same and before.get("status") == "done" and there_bytes == before.get("bytes")
