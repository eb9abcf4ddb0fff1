"""Plan the enlargement of one picture file; nothing is computed or written."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import cache, partial
from pathlib import Path

from clearzoom.core.box import Box
from clearzoom.core.plan import Plan, make_plan
from clearzoom.core.targets import target_size
from clearzoom.core.wrap import Wrap
from clearzoom.engines.chain import chain_notes
from clearzoom.engines.network import Network
from clearzoom.engines.tile import Channels
from clearzoom.errors import InputError, OutputError
from clearzoom.io.animation.orientation import SIDEWAYS
from clearzoom.io.formats import check_holds, check_target, format_of
from clearzoom.io.metadata.blocks import Metadata
from clearzoom.io.metadata.descriptions import measures
from clearzoom.io.metadata.exif_description import description_of
from clearzoom.io.metadata.panorama import is_full_circle
from clearzoom.io.picture import colours_of
from clearzoom.io.placement import Placement
from clearzoom.io.profile import profile_tone_curve
from clearzoom.io.reading import Source, open_picture
from clearzoom.pipeline.appraise import Appraisal, appraise_file, resolved
from clearzoom.pipeline.memory_checks import check_fits, check_preview_fits
from clearzoom.pipeline.networks import chain_of, window_notes, work_for
from clearzoom.pipeline.paths import check_input, output_stat
from clearzoom.pipeline.regions import preview_result, whole_result
from clearzoom.pipeline.settings import Settings
from clearzoom.pipeline.source_notes import source_notes

ONE_FRAME_ONLY = "an animation has no `preview` and no `fidelity_map`; give one frame"


@dataclass(frozen=True)
class Job:
    """The plan for one picture file.

    Attributes:
        source: what is known of the input before its px are decoded.
        target: the result's path.
        plan: the networks and the sizes.
        settings: nothing in them is ``auto`` any more.
        notes: what the user should know before the result is made.
        appraisal: measures the picture at the first call, and returns the same afterwards.
        preview: x, y, width, height in px of the input, where only that part is made.
    """

    source: Source
    target: Path
    plan: Plan
    settings: Settings
    notes: tuple[str, ...]
    appraisal: Callable[[], Appraisal] = field(repr=False, compare=False)
    preview: tuple[int, int, int, int] | None = None

    @property
    def cut(self) -> Box:
        """The part of the resized picture that is written."""
        return preview_result(self.plan, self.preview) if self.preview else whole_result(self.plan)

    @property
    def dpi(self) -> tuple[float, float] | None:
        """The resolution of the result, across and down, in px per inch."""
        if self.plan.dpi:
            return self.plan.dpi, self.plan.dpi
        stated, exif = self.source.dpi, self.source.metadata.exif
        if stated is None or exif is None or not measures(description_of(exif) or ""):
            return stated
        # In a microscope's picture it states the size of the object, not that of a print.
        across, down = self.plan.source_px
        return stated[0] * self.plan.resized_px[0] / across, (
            stated[1] * self.plan.resized_px[1] / down
        )

    @property
    def metadata(self) -> Metadata:
        """The metadata of the input, or none where the settings strip them."""
        return self.source.metadata if self.settings.metadata == "keep" else Metadata()


def plan_job(
    source_file: Path,
    target: Path,
    settings: Settings,
    *,
    makes_folder: bool = False,
    preview: tuple[int, int, int, int] | None = None,
) -> Job:
    """Plan the enlargement of a picture file; nothing is computed or written.

    Args:
        source_file: PNG, JPEG, WebP, TIFF, GIF, AVIF, BMP, PPM, TGA, JPEG 2000; HEIC with the extra
            [heic].
        target: the result's path; its suffix chooses the format.
        settings: the user's settings.
        makes_folder: whether target's folder may be missing, since it will be made.
        preview: x, y, width, height in px of the input. Only this part is made, with the px that it
            has in the whole, and only it must fit target's format and the memory.

    Raises:
        InputError: source_file is missing, unreadable or too large.
        OutputError: target is source_file, or cannot be written.
        SizeError: the result does not fit its format, or the preview lies outside.
        ModelError: there are no such weights.
    """
    kind = format_of(target)
    if settings.format is not None and format_of(Path(f"x.{settings.format}")) != kind:
        raise OutputError(
            f"you asked for {settings.format}, but {target} is {kind.name}; "
            f"end its name in .{settings.format}"
        )
    check_input(source_file)
    there = output_stat(target)
    source = open_picture(source_file, keep_cmyk=kind.cmyk, max_pixels=settings.max_pixels)
    if there is not None and target.samefile(source_file):
        raise OutputError(f"{target} is the input itself; name another file")
    if source.frames > 1 and not kind.animation:
        raise InputError(
            f"{source_file} has {source.frames} frames, which {kind.name} cannot hold; "
            "write .gif, .webp or .png (of a folder: `format` png), or save the one to enlarge as "
            "a file",
            setting="format",
        )
    stated = stated_wrap(source, settings)
    if stated is not None:
        settings = replace(settings, wrap=stated)
    plan = plan_size((source.width_px, source.height_px), settings)
    cut = preview_result(plan, preview) if preview else whole_result(plan)
    width, height = cut.width, cut.height
    check = check_holds if makes_folder and there is None else check_target
    keeps_alpha = source.has_alpha and settings.encoding.background == "none"
    check(target, width, height, has_alpha=keeps_alpha)
    known = source_notes(source, kind.name, settings.encoding)
    notes = [*source.notes, *known, *plan.notes]
    notes += window_notes(settings.model, plan)
    if stated is not None:
        notes.append(
            "the file states a panorama of 360 degrees, so its edges that meet are enlarged as one"
        )
    lossless = kind.name == "WebP" and settings.encoding.quality == 100
    if settings.pixel_art and kind.lossy and not lossless:
        notes.append(f"{kind.name} changes the colours of pixel art a little; PNG keeps them")
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
    appraisal = cache(partial(appraise_file, source, channels_of(source)))
    chosen = resolved(settings, plan.stages, appraisal)
    return Job(source, target, plan, chosen, tuple(notes), appraisal, preview)


def plan_size(size_px: tuple[int, int], settings: Settings) -> Plan:
    """Plan the networks and the sizes of a picture.

    Args:
        size_px: width and height of the upright picture.
        settings: the user's settings.

    Raises:
        SizeError: the size cannot be reached, or not with ``wrap`` or ``pixel_art``.
        ModelError: there are no such weights.
    """
    work = {} if settings.pixel_art else work_for(settings.model)
    wrap = "none" if settings.wrap == "auto" else settings.wrap
    return make_plan(size_px, settings.wanted, work, wrap=wrap, pixel_art=settings.pixel_art)


def stated_wrap(source: Source, settings: Settings) -> Wrap | None:
    """Return the axis that a file states to be wrapped, or None where ``auto`` finds none.

    Args:
        source: what ``open_picture`` returned.
        settings: the user's settings; a panorama that they cut is not joined.
    """
    if settings.wrap != "auto" or not is_full_circle(source.metadata.xmp):
        return None
    sideways = source.orientation in SIDEWAYS  # the panorama's x axis has become the picture's y
    resized, result = target_size(source.width_px, source.height_px, settings.wanted)
    if resized[sideways] != result[sideways]:
        return None
    return "y" if sideways else "x"


def placement_of(job: Job, cut: Box) -> Placement:
    """Return where the px of a job's result lie in its input."""
    return Placement(
        job.plan.source_px,
        job.source.orientation,
        job.plan.resized_px,
        (cut.left, cut.top),
        (cut.width, cut.height),
    )


def networks_of(job: Job) -> list[Network]:
    """Load a job's networks, in the order in which they run.

    Args:
        job: what ``plan_job`` returned.

    Raises:
        ModelError: the weights cannot be loaded, as ``load_network`` states.
    """
    return chain_of(job.settings, job.plan.stages)


def noted(job: Job, networks: Sequence[Network]) -> Job:
    """Return a job whose notes state what the user should know of its networks, too.

    Args:
        job: what ``plan_job`` returned.
        networks: what ``networks_of`` returned for it.
    """
    return replace(job, notes=(*job.notes, *chain_notes(networks)))


def channels_of(source: Source) -> Channels:
    """Return what the channels of a picture hold."""
    colours = colours_of(source.channels, cmyk=source.cmyk)
    tone = None
    if source.icc_profile is not None and colours != 4:
        tone = profile_tone_curve(source.icc_profile, colours, 65_536 if source.deep else 256)
    return Channels(colours, tone)
