"""One picture of a batch: what is checked, skipped, done, and said of it in the report."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from clearzoom.batch.report import Row
from clearzoom.batch.storage import Place
from clearzoom.core.shown import shown
from clearzoom.errors import ClearzoomError, InputError, OutputError
from clearzoom.pipeline.job import Job, plan_job
from clearzoom.pipeline.run import Done
from clearzoom.pipeline.settings import Settings


@dataclass(frozen=True)
class Task:
    """A picture to deal with. ``file`` and ``output``: its name in the source, in the target.

    ``before``: its row in the report so far. ``clash``: the other picture with the same result.
    ``made_here``: the report says so of its result. ``may_replace``: that, or on a cluster that
    nothing was there when the job began: what is there now was put there by a worker that died.
    """

    file: str
    output: str
    before: Row
    clash: str | None
    made_here: bool
    may_replace: bool


@dataclass(frozen=True)
class Order:
    """What is asked of every picture; ``said``: its settings in short, as the report has them."""

    source: Place
    target: Place
    settings: Settings
    said: str


Run = Callable[[Job, Row], Done | Row]
"""Enlarges what was planned: gives what was done, or a row if it is not done yet."""


def deal_with(task: Task, order: Order, run: Run, *, keep: bool = False) -> Row:
    """Skip or enlarge a picture; never raises for what is wrong with it.

    Args:
        task: the picture.
        order: for all of them.
        run: does the work.
        keep: a copy of the picture, if there is one, for more work on it.

    Returns:
        Its row of the report: ``task.before`` itself where it was done before.
    """
    row: Row = {"file": task.file, "output": task.output}
    try:
        return _dealt_with(task, order, row, run)
    except ClearzoomError as error:
        row |= failure(error.code, _said_of(order, error))
    except OSError as error:
        row |= failure("input", _said_of(order, error))
    except Exception as error:  # a fault of this program must not stop the others either
        row |= failure("internal", f"{type(error).__name__}: {_said_of(order, error)}")
    finally:
        if not keep:
            order.source.forget(task.file)
        order.target.forget(task.output)
    if task.made_here and _is_there(order.target, task.output):
        row["older_result"] = True
    return row


def plan_one(task: Task, order: Order) -> Job | Row:
    """Say what ``deal_with`` would do with a picture; nothing is computed or written.

    Args:
        task: the picture.
        order: for all of them.

    Returns:
        Its plan, or its row of the report: ``task.before`` where it was done before, else why not.
    """
    try:
        return _looked_at(task, order, None) or task.before
    except ClearzoomError as error:
        return failure(error.code, _said_of(order, error))
    except OSError as error:
        return failure("input", _said_of(order, error))


def _dealt_with(task: Task, order: Order, row: Row, run: Run) -> Row:
    job = _looked_at(task, order, row)
    if job is None:
        return task.before
    target, result = order.target, job.target
    target.make_room(task.output)
    done = run(job, row)
    if not isinstance(done, Done):
        return done
    size_bytes = result.stat().st_size
    target.store(task.output)
    return row | {
        "status": "done",
        "width_px": done.width_px,
        "height_px": done.height_px,
        "bytes": size_bytes,
        "notes": list(done.notes),
    }


def _looked_at(task: Task, order: Order, row: Row | None) -> Job | None:
    """Check and plan a picture; None where it was done before. Its row, if any, gets its hash."""
    source, target = order.source, order.target
    source.fetch(task.file)
    path, result = source.path(task.file), target.path(task.output)
    if task.clash is not None:
        raise InputError(
            f"{result} is the result of {source.path(task.clash)}; rename one of the two"
        )
    there = target.size_bytes(task.output)
    if there is not None and not task.may_replace:
        raise OutputError(
            f"{result} exists and was not made here; take it away or name another folder"
        )
    if row is not None or task.before.get("status") == "done":
        seen = {"sha256": content_sha256(path), "settings": order.said}
        if row is not None:
            row |= seen
        if _is_done(task.before, seen | {"output": task.output}, there):
            return None
    return plan_job(path, result, order.settings, makes_folder=True)


def content_sha256(path: Path) -> str:
    """Hash a file.

    Raises:
        InputError: it cannot be read.
    """
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror}") from error


def failure(code: str, reason: str) -> Row:
    """Say in a row why a picture failed."""
    return {"status": "failed", "code": code, "error": shown(reason)}


def unreadable(order: Order, folder: str, reason: str) -> Row:
    """Say in a row why a folder of the source could not be read."""
    return failure("input", f"cannot read {order.source.path(folder)}: {reason}")


def said_settings(settings: Settings) -> str:
    """Say in short what makes a result: equal for equal settings, weights and version."""
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


def _said_of(order: Order, error: Exception) -> str:
    return order.source.said(order.target.said(str(error)))


def _is_there(target: Place, name: str) -> bool:
    try:
        return target.size_bytes(name) is not None
    except OutputError:
        return False


def _is_done(before: Row, seen: Row, there_bytes: int | None) -> bool:
    same = all(before.get(key) == value for key, value in seen.items())
    return same and before.get("status") == "done" and there_bytes == before.get("bytes")
