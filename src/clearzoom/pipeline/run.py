"""Run a planned job: decode, networks, last resampling, encode. A job that was killed goes on."""

import hashlib
import os
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from math import prod
from pathlib import Path

from clearzoom.core.box import Box
from clearzoom.engines.network import Network
from clearzoom.engines.tiled import Progress
from clearzoom.errors import InputError, OutputError
from clearzoom.io.atomic import whole_file
from clearzoom.io.formats import check_target
from clearzoom.io.picture import Samples, colours_of
from clearzoom.io.reading import decode
from clearzoom.io.scratch import Scratch, scratch
from clearzoom.io.writing import encode
from clearzoom.pipeline.animation import run_animation
from clearzoom.pipeline.finish import finished_image, finished_metadata, write_fidelity_map
from clearzoom.pipeline.job import (
    ONE_FRAME_ONLY,
    Job,
    channels_of,
    networks_of,
    noted,
    placement_of,
)
from clearzoom.pipeline.memory_budget import Budget
from clearzoom.pipeline.paths import output_stat
from clearzoom.pipeline.regions import needed_of_networks, whole_result
from clearzoom.pipeline.stages import run_stages
from clearzoom.version import __version__

_IN_MEMORY_BYTES = 64_000_000
"""Pictures up to this size, all stages together, need no scratch folder: seconds would be lost."""


@dataclass(frozen=True)
class Done:
    """The result of a job: its size, and notes on what differs from the input."""

    width_px: int
    height_px: int
    notes: tuple[str, ...]


def run_job(
    job: Job,
    progress: Progress | None = None,
    *,
    fidelity_map: Path | None = None,
    budget: Budget | None = None,
) -> Done:
    """Run a planned job.

    Args:
        job: what ``plan_job`` returned.
        progress: is called with (tiles done, tiles in all).
        fidelity_map: a path for a grey picture of how many levels, as the mean over the colours,
            the result differs from the bicubic enlargement.
        budget: the memory budget of all jobs of this process; by default one for this job alone.

    Returns:
        The result's size, and notes.

    Raises:
        OutputError: the result cannot be written; older files stay.
        UnreadablePictureError: the picture is truncated or damaged.
        SizeError: ``memory_bytes`` of the settings is too small, or the result does not fit into
            memory.
        ResultError: a network gave something that is no picture.
    """
    budget = budget or Budget(job.settings.memory_bytes)
    networks = networks_of(job)
    job = noted(job, networks)
    if job.source.frames > 1:
        if fidelity_map:
            raise InputError(ONE_FRAME_ONLY)
        placement = placement_of(job, whole_result(job.plan))
        metadata, problems = finished_metadata(job.metadata, job.plan, placement, job.dpi, networks)
        channels = channels_of(job.source)
        problems += run_animation(job, networks, channels, metadata, budget, progress)
        return Done(*job.plan.result_px, (*job.notes, *problems))
    plan, cmyk = job.plan, job.source.cmyk
    cut = job.cut
    if fidelity_map is not None:
        _check_fidelity_map(job, fidelity_map, cut)
    with _scratch_for(job, networks) as folder:
        samples = decode(job.source, folder.folder / "0.tif" if folder is not None else None)
        result = run_stages(
            samples,
            networks,
            channels_of(job.source),
            scratch=folder,
            region=needed_of_networks(plan, cut) if job.preview else None,
            budget=budget,
            progress=progress,
        )
        done = write_result(job, networks, result, cut)
        if fidelity_map is not None:
            colours = colours_of(job.source.channels, cmyk=cmyk)
            write_fidelity_map(fidelity_map, result, samples, plan, cut, colours)
    return done


def write_result(job: Job, networks: list[Network], result: Samples, cut: Box) -> Done:
    """Write a job's file from the result of its last network.

    Args:
        job: what ``plan_job`` returned for a still picture.
        networks: the chain, in the order in which they ran.
        result: (H, W, C), in memory or in a scratch file.
        cut: the part of the resized picture that is written.

    Raises:
        OutputError: the file cannot be written; an older one stays.
    """
    size = (cut.width, cut.height)
    placement = placement_of(job, cut)
    metadata, problems = finished_metadata(job.metadata, job.plan, placement, job.dpi, networks)
    image = finished_image(result, job.plan, cut, cmyk=job.source.cmyk)
    with whole_file(job.target) as temporary:
        problems += encode(
            temporary,
            job.target,
            image,
            job.source.icc_profile,
            job.dpi,
            metadata,
            job.settings.encoding,
        )
    return Done(*size, (*job.notes, *problems))


def _check_fidelity_map(job: Job, target: Path, cut: Box) -> None:
    output_stat(target)
    check_target(target, cut.width, cut.height, has_alpha=False)
    if target.resolve() in (job.target.resolve(), job.source.path.resolve()):
        raise OutputError(f"{target} is the input or the result; name another file for the map")


def _scratch_for(job: Job, networks: list[Network]) -> AbstractContextManager[Scratch | None]:
    grown = [prod(job.plan.stages[: index + 1]) ** 2 for index in range(len(networks))]
    raw_bytes = job.source.raw_bytes * (1 + sum(grown))
    limit = _IN_MEMORY_BYTES
    if job.settings.memory_bytes:
        limit = min(limit, job.settings.memory_bytes // 8)
    if job.preview or raw_bytes <= limit:
        return nullcontext()
    return scratch(job.target, job_key(job, networks))


def job_key(job: Job, networks: list[Network]) -> str:
    """Return a key that is equal for equal results.

    It differs where the content, settings, networks, version or target's name differ.
    """
    key = hashlib.sha256()
    with job.source.path.open("rb") as file:
        key.update(hashlib.file_digest(file, "sha256").digest())
    for network in networks:
        key.update(f"{network.identity} ".encode(errors="surrogateescape"))
    key.update(f"{__version__} {job.plan} {job.source.shape}".encode())
    key.update(os.fsencode(job.target.name))  # the scratch folder lies beside the target
    return key.hexdigest()[:16]
