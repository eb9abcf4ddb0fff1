"""Plan a folder of pictures: what ``enlarge_folder`` would do with each, in the same words."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from clearzoom.batch.folder import check_can_begin, order_of, tasks_of
from clearzoom.batch.report import NAME, Row, read_report
from clearzoom.batch.task import failure, plan_one, unreadable
from clearzoom.batch.tree import Listing, pictures_to_do
from clearzoom.errors import ClearzoomError, OutputError
from clearzoom.pipeline.budget import Budget
from clearzoom.pipeline.job import Job
from clearzoom.pipeline.memory_trial import trial_budget, try_tiles
from clearzoom.pipeline.settings import Settings


@dataclass(frozen=True)
class Planned:
    """One picture, or a folder that cannot be read.

    ``job``: its plan, where it will be enlarged. ``error``: why it will fail, where it will. It was
    done before where neither stands.
    """

    file: str
    job: Job | None = None
    error: str | None = None


@dataclass(frozen=True)
class PlannedFolder:
    """``listing``: what there is. ``pictures``: each that can be read, and what becomes of it."""

    listing: Listing
    pictures: Iterator[Planned]


def plan_folder(
    source: Path, output: Path, settings: Settings, *, recursive: bool = False
) -> PlannedFolder:
    """Plan what ``enlarge_folder`` would do; nothing is computed or written.

    Args:
        source: as in ``enlarge_folder``.
        output: likewise.
        settings: likewise.
        recursive: likewise.

    Returns:
        What there is; each picture is looked at as the iterator comes to it.

    Raises:
        ClearzoomError: as ``enlarge_folder`` says, and for the same causes.
    """
    listing, names = pictures_to_do(source, output, recursive=recursive, wanted=settings.format)
    check_can_begin(settings, names)
    try:
        rows = read_report(output / NAME)
    except OSError as error:
        raise OutputError(f"cannot write to {output}: {error.strerror}") from error
    order = order_of(source, output, settings)
    budget = trial_budget(settings.memory_bytes)

    def each() -> Iterator[Planned]:
        for folder, reason in listing.unreadable.items():
            yield _planned(folder, unreadable(order, folder, reason))
        for task in tasks_of(names, rows):
            yield _planned(task.file, _tried(plan_one(task, order), budget))

    return PlannedFolder(listing, each())


def _tried(outcome: Job | Row, budget: Budget) -> Job | Row:
    if isinstance(outcome, Job):
        try:
            try_tiles(outcome, budget)
        except ClearzoomError as error:
            return failure(error.code, str(error))
    return outcome


def _planned(file: str, outcome: Job | Row) -> Planned:
    if isinstance(outcome, Job):
        return Planned(file, job=outcome)
    return Planned(file, error=outcome["error"] if outcome["status"] == "failed" else None)
