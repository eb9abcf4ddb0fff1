"""Plan a folder of pictures: say what ``enlarge_folder`` would do with each, in the same words."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from clearzoom.batch.batch import Batch
from clearzoom.batch.storage import LocalFolder
from clearzoom.batch.task import plan_task
from clearzoom.batch.tree import Listing
from clearzoom.errors import ClearzoomError
from clearzoom.pipeline.job import Job
from clearzoom.pipeline.memory_trial import trial_budget, try_tiles
from clearzoom.pipeline.settings import Settings


@dataclass(frozen=True)
class PlannedPicture:
    """One picture, or a folder that cannot be read.

    ``job``: the plan of a picture that will be enlarged. ``error``: why it will fail, and ``code``:
    that of the error. Where all are None, it was enlarged before.
    """

    file: str
    job: Job | None = None
    error: str | None = None
    code: str | None = None


@dataclass(frozen=True)
class PlannedFolder:
    """``listing``: the files of the folder. ``pictures``: the plan of each."""

    listing: Listing
    pictures: Iterator[PlannedPicture]


def plan_folder(
    source: Path, output: Path, settings: Settings, *, recursive: bool = False
) -> PlannedFolder:
    """Plan what ``enlarge_folder`` would do; nothing is computed or written.

    Args:
        source: as in ``enlarge_folder``.
        output: as in ``enlarge_folder``.
        settings: as in ``enlarge_folder``.
        recursive: as in ``enlarge_folder``.

    Returns:
        As ``plan_batch``.

    Raises:
        ClearzoomError: as ``enlarge_folder`` says, and for the same causes.
    """
    places = LocalFolder(str(source)), LocalFolder(str(output))
    return plan_batch(Batch(*places, settings, recursive=recursive))


def plan_batch(batch: Batch) -> PlannedFolder:
    """Plan what ``Batch.run`` would do; nothing is computed or written.

    Args:
        batch: the pictures.

    Returns:
        The plan; each picture is opened when the iterator comes to it.
    """
    return PlannedFolder(batch.listing, _planned(batch))


def _planned(batch: Batch) -> Iterator[PlannedPicture]:
    context = batch.context
    budget = trial_budget(context.settings.memory_bytes)
    for folder, reason in batch.listing.unreadable.items():
        row = context.unreadable(folder, reason)
        yield PlannedPicture(folder, error=row["error"], code=row["code"])
    for task in batch.tasks:
        try:
            job = plan_task(task, context)
            if job is not None:
                try_tiles(job, budget)
        except (ClearzoomError, OSError) as error:
            row = context.failure(error)
            yield PlannedPicture(task.file, error=row["error"], code=row["code"])
        else:
            yield PlannedPicture(task.file, job)
