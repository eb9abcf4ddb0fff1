"""Enlarge one picture file to another: look, plan, decode, networks, last resampling, encode."""

import hashlib
import os
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace
from functools import cache, partial
from math import prod
from pathlib import Path

from clearzoom.core.plan import Plan, make_plan
from clearzoom.engines.network import Network
from clearzoom.engines.tiled import Meaning, Progress
from clearzoom.errors import InputError, OutputError
from clearzoom.io.atomic import whole_file
from clearzoom.io.damage import stepped_over
from clearzoom.io.formats import check_holds, check_target, format_of
from clearzoom.io.metadata.descriptions import measures
from clearzoom.io.metadata.embedded import Metadata
from clearzoom.io.metadata.exif_text import description_of
from clearzoom.io.picture import Samples, colours_of
from clearzoom.io.placement import Placement
from clearzoom.io.profile import profile_tone
from clearzoom.io.reading import Source, decode, open_picture
from clearzoom.io.scratch import Scratch, scratch
from clearzoom.io.writing import encode
from clearzoom.pipeline.animation import run_animation
from clearzoom.pipeline.appraise import Appraisal, appraise_file, resolved
from clearzoom.pipeline.budget import Budget
from clearzoom.pipeline.finish import finished_image, finished_metadata, write_fidelity_map
from clearzoom.pipeline.memory_checks import check_fits, check_preview_fits
from clearzoom.pipeline.networks import chain_of, scales_for
from clearzoom.pipeline.paths import check_input, output_stat
from clearzoom.pipeline.regions import Region, needed_of_networks, preview_result, whole_result
from clearzoom.pipeline.settings import Settings
from clearzoom.pipeline.stages import run_stages

_IN_MEMORY_BYTES = 64_000_000
"""Pictures up to this size, all stages together, need no scratch folder: seconds would be lost."""

_ONE_FRAME = "an animation has no --preview and no --fidelity-map; give one frame"


@dataclass(frozen=True)
class Job:
    """One picture file, what shall become of it, and what the user should know before.

    ``look`` gives what the picture is like; it is looked at once. ``preview``: x, y, width, height
    in px of the input, where that part alone is made.
    """

    source: Source
    target: Path
    plan: Plan
    settings: Settings
    notes: tuple[str, ...]
    look: Callable[[], Appraisal] = field(repr=False, compare=False)
    preview: tuple[int, int, int, int] | None = None

    @property
    def cut(self) -> Region:
        """Of the resized picture, what is written."""
        return preview_result(self.plan, self.preview) if self.preview else whole_result(self.plan)

    @property
    def dpi(self) -> tuple[float, float] | None:
        """Of the result."""
        if self.plan.dpi:
            return self.plan.dpi, self.plan.dpi
        stated, exif = self.source.dpi, self.source.metadata.exif
        if stated is None or exif is None or not measures(description_of(exif) or ""):
            return stated
        # Of a microscope's picture it says how large what is seen is, not how large to print it.
        across, down = self.plan.source_px
        return stated[0] * self.plan.resized_px[0] / across, (
            stated[1] * self.plan.resized_px[1] / down
        )

    @property
    def metadata(self) -> Metadata:
        """Of the input, as far as it is wanted."""
        return self.source.metadata if self.settings.metadata == "keep" else Metadata()


@dataclass(frozen=True)
class Done:
    """What became of a job."""

    width_px: int
    height_px: int
    notes: tuple[str, ...]


def plan_job(
    source_file: Path,
    target: Path,
    settings: Settings,
    *,
    makes_folder: bool = False,
    preview: tuple[int, int, int, int] | None = None,
) -> Job:
    """Look at a picture and plan its enlargement; nothing is computed or written.

    Args:
        source_file: PNG, JPEG, WebP, TIFF, GIF, AVIF, BMP, PPM, TGA, JPEG 2000; HEIC with the extra
            [heic].
        target: the suffix chooses the format.
        settings: what is asked for.
        makes_folder: target's folder need not be there yet.
        preview: x, y, width, height in px of the input: this part alone is made, of the same px as
            in the whole, and it alone must fit target's format and the memory.

    Raises:
        InputError: and its kinds: source_file is missing, unreadable, too large.
        OutputError: target is source_file, or cannot be written.
        SizeError: the result does not fit its format, or preview lies outside.
        ModelError: no such weights.
    """
    kind = format_of(target)
    if settings.format is not None and format_of(Path(f"x.{settings.format}")) != kind:
        raise OutputError(
            f"{settings.format} is asked for, and {target} is {kind.name}; "
            f"end its name in .{settings.format}"
        )
    check_input(source_file)
    there = output_stat(target)
    source = open_picture(source_file, keep_cmyk=kind.cmyk, max_pixels=settings.max_pixels)
    if there is not None and target.samefile(source_file):
        raise OutputError(f"{target} is the input itself; name another file")
    plan = make_plan(
        (source.width_px, source.height_px), settings.wanted, scales_for(settings.model)
    )
    cut = preview_result(plan, preview) if preview else whole_result(plan)
    width, height = cut.width_px, cut.height_px
    check = check_holds if makes_folder and there is None else check_target
    check(target, width, height, has_alpha=source.has_alpha)
    damage = stepped_over(source_file, source.kind)
    notes = [*source.notes, *([damage] if damage else []), *plan.notes]
    if source.frames > 1 and not kind.animation:
        raise InputError(
            f"{source_file} has {source.frames} frames, which {kind.name} cannot hold; "
            "write .gif, .webp or .png (of a folder: --format png), or save the one to enlarge as "
            "a file"
        )
    if source.frames > 1 and preview:
        raise InputError(_ONE_FRAME)
    if source.deep and not kind.deep:
        notes.append(f"{kind.name} holds 8 bit: 16 are rounded")
    result_bytes = width * height * source.channels * (2 if source.deep else 1)
    if kind.name == "TIFF" and result_bytes > 2**31:
        notes.append("the result is written as BigTIFF, which a few old programs cannot read")
    as_written = replace(plan, result_px=(width, height))
    check_fits(source, kind, as_written, target, settings.memory_bytes)
    if preview and settings.memory_bytes:
        check_preview_fits(source, settings.memory_bytes)
    look = cache(partial(appraise_file, source, meaning_of(source)))
    chosen = resolved(settings, plan.stages, look)
    return Job(source, target, plan, chosen, tuple(notes), look, preview)


def run_job(
    job: Job,
    progress: Progress | None = None,
    *,
    preview: tuple[int, int, int, int] | None = None,
    fidelity_map: Path | None = None,
    budget: Budget | None = None,
    wrapped: Callable[[Network], Network] | None = None,
) -> Done:
    """Do what was planned.

    Args:
        job: from ``plan_job``.
        progress: is called with (tiles done, tiles in all).
        preview: as in ``plan_job``, of a job that was planned for the whole.
        fidelity_map: a file for a grey picture: by how many levels, as the mean over the colours,
            the result differs from the bicubic enlargement.
        budget: of all jobs of this process, where memory is limited; else one of this job alone.
        wrapped: put around each network as loaded; what it gives must be equal to the bit.

    Returns:
        The result's size, and notes.

    Raises:
        OutputError: the result cannot be written; older files stay.
        UnreadablePictureError: the picture is truncated or damaged.
        SizeError: settings.memory_bytes is too small, preview lies outside, or the result does not
            fit into memory.
        ResultError: a network gave something that is no picture.
    """
    preview = preview or job.preview
    budget = budget or Budget(job.settings.memory_bytes)
    networks = networks_of(job, wrapped)
    if job.source.frames > 1:
        if preview or fidelity_map:
            raise InputError(_ONE_FRAME)
        placement = placement_of(job, whole_result(job.plan))
        metadata, problems = finished_metadata(job.metadata, job.plan, placement, job.dpi, networks)
        meaning = meaning_of(job.source)
        problems += run_animation(job, networks, meaning, metadata, budget, progress)
        return Done(*job.plan.result_px, (*job.notes, *problems))
    plan, cmyk = job.plan, job.source.cmyk
    cut = preview_result(plan, preview) if preview else whole_result(plan)
    if fidelity_map is not None:
        _check_fidelity_map(job, fidelity_map, cut)
    with _scratch_for(job, networks, preview is not None) as folder:
        if preview and job.settings.memory_bytes:
            check_preview_fits(job.source, job.settings.memory_bytes)
        samples = decode(job.source, folder.folder / "0.tif" if folder is not None else None)
        result = run_stages(
            samples,
            networks,
            meaning_of(job.source),
            scratch=folder,
            region=needed_of_networks(plan, cut) if preview else None,
            budget=budget,
            progress=progress,
        )
        done = write_result(job, networks, result, cut)
        if fidelity_map is not None:
            colours = colours_of(job.source.channels, cmyk=cmyk)
            write_fidelity_map(fidelity_map, result, samples, plan, cut, colours)
    return done


def write_result(job: Job, networks: list[Network], result: Samples, cut: Region) -> Done:
    """Write a job's file from what the last network gave.

    Args:
        job: from ``plan_job``; no animation.
        networks: that ran, in their order.
        result: (H, W, C), in memory or in a scratch file.
        cut: of the resized picture.

    Raises:
        OutputError: it cannot be written; an older file stays.
    """
    size = (cut.width_px, cut.height_px)
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


def placement_of(job: Job, cut: Region) -> Placement:
    """Say where in its input a job's result lies."""
    return Placement(
        job.plan.source_px,
        job.source.orientation,
        job.plan.resized_px,
        (cut.left, cut.top),
        (cut.width_px, cut.height_px),
    )


def _check_fidelity_map(job: Job, target: Path, cut: Region) -> None:
    output_stat(target)
    check_target(target, cut.width_px, cut.height_px, has_alpha=False)
    if target.resolve() in (job.target.resolve(), job.source.path.resolve()):
        raise OutputError(f"{target} is the input or the result; name another file for the map")


def networks_of(job: Job, wrapped: Callable[[Network], Network] | None = None) -> list[Network]:
    """Give a job's networks, in the order in which they run.

    Args:
        job: from ``plan_job``.
        wrapped: see ``run_job``.

    Raises:
        ModelError: and its kinds, as ``load_network`` says.
    """
    return chain_of(job.settings, job.plan.stages, wrapped)


def meaning_of(source: Source) -> Meaning:
    """Say what a picture's channels mean to a network."""
    colours = colours_of(source.channels, cmyk=source.cmyk)
    tone = None
    if source.icc_profile is not None and colours != 4:
        tone = profile_tone(source.icc_profile, colours, 65_536 if source.deep else 256)
    return Meaning(colours, tone)


def _scratch_for(
    job: Job, networks: list[Network], preview: bool
) -> AbstractContextManager[Scratch | None]:
    grown = [prod(job.plan.stages[: index + 1]) ** 2 for index in range(len(networks))]
    raw_bytes = job.source.raw_bytes * (1 + sum(grown))
    limit = _IN_MEMORY_BYTES
    if job.settings.memory_bytes:
        limit = min(limit, job.settings.memory_bytes // 8)
    if preview or raw_bytes <= limit:
        return nullcontext()
    return scratch(job.target, job_key(job, networks))


def job_key(job: Job, networks: list[Network]) -> str:
    """Equal for the same result: other content, settings, networks, version or name are not."""
    from clearzoom.version import __version__

    said = hashlib.sha256()
    with job.source.path.open("rb") as file:
        said.update(hashlib.file_digest(file, "sha256").digest())
    for network in networks:
        line = f"{network.sha256} {network.engine} {network.halo_px} {network.name} "
        said.update(line.encode(errors="surrogateescape"))
    said.update(f"{__version__} {job.plan} {job.source.shape}".encode())
    said.update(os.fsencode(job.target.name))  # the folder lies beside it
    return said.hexdigest()[:16]
