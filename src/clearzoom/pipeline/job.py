"""Plan the enlargement of one picture file; nothing is computed or written."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cache, partial
from pathlib import Path

from clearzoom.core.box import Box
from clearzoom.core.plan import Plan, make_plan
from clearzoom.engines.network import Network
from clearzoom.engines.tile import Channels
from clearzoom.errors import InputError, OutputError
from clearzoom.io.damage import stepped_over
from clearzoom.io.formats import check_holds, check_target, format_of
from clearzoom.io.metadata.descriptions import measures
from clearzoom.io.metadata.embedded import Metadata
from clearzoom.io.metadata.exif_text import description_of
from clearzoom.io.picture import colours_of
from clearzoom.io.placement import Placement
from clearzoom.io.profile import profile_tone
from clearzoom.io.reading import Source, open_picture
from clearzoom.pipeline.appraise import Appraisal, appraise_file, resolved
from clearzoom.pipeline.memory_checks import check_fits, check_preview_fits
from clearzoom.pipeline.networks import chain_of, scales_for
from clearzoom.pipeline.paths import check_input, output_stat
from clearzoom.pipeline.regions import preview_result, whole_result
from clearzoom.pipeline.settings import Settings

ONE_FRAME_ONLY = "an animation has no --preview and no --fidelity-map; give one frame"


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
    def cut(self) -> Box:
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
    width, height = cut.width, cut.height
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
        raise InputError(ONE_FRAME_ONLY)
    if source.deep and not kind.deep:
        notes.append(f"{kind.name} holds 8 bit: 16 are rounded")
    result_bytes = width * height * source.channels * (2 if source.deep else 1)
    if kind.name == "TIFF" and result_bytes > 2**31:
        notes.append("the result is written as BigTIFF, which a few old programs cannot read")
    as_written = replace(plan, result_px=(width, height))
    check_fits(source, kind, as_written, target, settings.memory_bytes)
    if preview and settings.memory_bytes:
        check_preview_fits(source, settings.memory_bytes)
    look = cache(partial(appraise_file, source, channels_of(source)))
    chosen = resolved(settings, plan.stages, look)
    return Job(source, target, plan, chosen, tuple(notes), look, preview)


def placement_of(job: Job, cut: Box) -> Placement:
    """Say where in its input a job's result lies."""
    return Placement(
        job.plan.source_px,
        job.source.orientation,
        job.plan.resized_px,
        (cut.left, cut.top),
        (cut.width, cut.height),
    )


def networks_of(job: Job, wrapped: Callable[[Network], Network] | None = None) -> list[Network]:
    """Give a job's networks, in the order in which they run.

    Args:
        job: from ``plan_job``.
        wrapped: see ``run_job``.

    Raises:
        ModelError: and its kinds, as ``load_network`` says.
    """
    return chain_of(job.settings, job.plan.stages, wrapped)


def channels_of(source: Source) -> Channels:
    """Say what a picture's channels mean to a network."""
    colours = colours_of(source.channels, cmyk=source.cmyk)
    tone = None
    if source.icc_profile is not None and colours != 4:
        tone = profile_tone(source.icc_profile, colours, 65_536 if source.deep else 256)
    return Channels(colours, tone)
