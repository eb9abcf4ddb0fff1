"""Enlarge one picture file to another: look, plan, decode, networks, last resampling, encode."""

import hashlib
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from math import ceil, floor, prod
from pathlib import Path

import numpy as np
import pyvips

from clearzoom.batch.settings import Settings
from clearzoom.batch.stages import Region, run_stages
from clearzoom.core.plan import Plan, make_plan
from clearzoom.engines.network import Network, load_network
from clearzoom.engines.onnxruntime import read_notes
from clearzoom.engines.refine import refined
from clearzoom.engines.tiled import Meaning, Progress
from clearzoom.errors import InputError, OutputError, SizeError
from clearzoom.io.animation import read_frames, write_frames
from clearzoom.io.atomic import whole_file
from clearzoom.io.exif import updated_exif
from clearzoom.io.formats import check_target, format_of
from clearzoom.io.metadata import Metadata
from clearzoom.io.picture import Samples, colours_of
from clearzoom.io.profile import profile_tone
from clearzoom.io.provenance import Provenance, with_provenance
from clearzoom.io.reading import Source, decode, open_picture
from clearzoom.io.scratch import Scratch, scratch
from clearzoom.io.streamable import stream_picture
from clearzoom.io.writing import as_image, encode, interpretation
from clearzoom.weights import scales_of

_IN_MEMORY_BYTES = 64_000_000
"""Pictures up to this size, all stages together, need no scratch folder: seconds would be lost."""

_RESAMPLING_REACH_PX = 8
_BYTES_OF_UNSTREAMED = 6  # of an encoder that wants all px at once, for each px and channel


@dataclass(frozen=True)
class Job:
    """One picture file, what shall become of it, and what the user should know before."""

    source: Source
    target: Path
    plan: Plan
    settings: Settings
    notes: tuple[str, ...]

    @property
    def dpi(self) -> tuple[float, float] | None:
        """Of the result."""
        return (self.plan.dpi, self.plan.dpi) if self.plan.dpi else self.source.dpi


@dataclass(frozen=True)
class Done:
    """What became of a job."""

    width_px: int
    height_px: int
    notes: tuple[str, ...]


def plan_job(source_file: Path, target: Path, settings: Settings) -> Job:
    """Look at a picture and plan its enlargement; nothing is computed or written.

    Args:
        source_file: PNG, JPEG, WebP, TIFF, GIF, AVIF; HEIC with the extra [heic].
        target: the suffix chooses the format.
        settings: what is asked for.

    Raises:
        InputError: and its kinds: source_file is missing, unreadable, too large.
        OutputError: target is source_file, or cannot be written.
        SizeError: the result does not fit its format.
        ModelError: no such weights.
    """
    kind = format_of(target)
    source = open_picture(source_file, keep_cmyk=kind.cmyk, max_pixels=settings.max_pixels)
    if target.exists() and target.samefile(source_file):
        raise OutputError(f"{target} is the input itself; name another file")
    plan = make_plan((source.width_px, source.height_px), settings.wanted, _scales(settings.model))
    width, height = plan.result_px
    check_target(target, width, height, has_alpha=source.has_alpha)
    notes = [*source.notes, *plan.notes]
    if source.frames > 1 and not kind.animation:
        raise InputError(
            f"{source_file} has {source.frames} frames, which {kind.name} cannot hold; "
            "write .gif, .webp or .png, or save the one to enlarge as a file"
        )
    if source.deep and not kind.deep:
        notes.append(f"{kind.name} holds 8 bit: 16 are rounded")
    result_bytes = width * height * source.channels * (2 if source.deep else 1)
    if kind.name == "TIFF" and result_bytes > 2**31:
        notes.append("the result is written as BigTIFF, which a few old programs cannot read")
    unstreamed = width * height * source.channels * _BYTES_OF_UNSTREAMED
    if settings.memory_bytes and not kind.streams and unstreamed > settings.memory_bytes:
        raise SizeError(
            f"{kind.name} is encoded from memory at once, about {unstreamed / 1e6:.0f} MB here, "
            "more than --memory; write .png, .tif or .jpg"
        )
    return Job(source, target, plan, settings, tuple(notes))


def run_job(
    job: Job,
    progress: Progress | None = None,
    *,
    preview: tuple[int, int, int, int] | None = None,
    fidelity_map: Path | None = None,
) -> Done:
    """Do what was planned.

    Args:
        job: from ``plan_job``.
        progress: is called with (tiles done, tiles in all).
        preview: x, y, width, height in px of the input: this part alone is made, of the same px as
            in the whole.
        fidelity_map: a file for a grey picture: by how many levels, as the mean over the colours,
            the result differs from the bicubic enlargement.

    Returns:
        The result's size, and notes.

    Raises:
        OutputError: the result cannot be written; older files stay.
        UnreadablePictureError: the picture is truncated or damaged.
        SizeError: settings.memory_bytes is too small, or preview lies outside.
        ResultError: a network gave something that is no picture.
    """
    networks = [_network(job.settings, scale) for scale in job.plan.stages]
    if job.source.frames > 1:
        if preview or fidelity_map:
            raise InputError("an animation has no --preview and no --fidelity-map; give one frame")
        return _run_animation(job, networks, progress)
    cut = _result_region(job.plan, preview)
    with _scratch_for(job, networks, preview is not None) as folder:
        samples = decode(job.source, folder.folder / "0.tif" if folder is not None else None)
        region = _enlarged_region(job.plan, cut) if preview else None
        room = partial(_room, job.source, folder)
        result = run_stages(
            samples,
            networks,
            _meaning(job.source),
            room,
            scratch=folder,
            region=region,
            memory_bytes=job.settings.memory_bytes,
            progress=progress,
        )
        larger = _resized(_image(result, job.source), job.plan.resized_px)
        finished = larger.crop(cut.left, cut.top, cut.right - cut.left, cut.bottom - cut.top)
        problems = _write(job, finished, networks)
        if fidelity_map is not None:
            larger = _resized(_image(result, job.source), job.plan.resized_px)
            interpolated = _interpolated(_image(samples, job.source), job.plan.resized_px)
            _write_fidelity(fidelity_map, larger, interpolated, cut, job.source)
    return Done(finished.width, finished.height, (*job.notes, *problems))


def _scales(model: str) -> list[int]:
    if model.endswith(".onnx") and Path(model).is_file():
        return [int(read_notes(Path(model)).get("scale", 4))]
    return scales_of(model)


_loaded = lru_cache(maxsize=8)(load_network)


def _network(settings: Settings, scale: int) -> Network:
    network = refined(
        _loaded(settings.model, scale, settings.engine, settings.precision),
        ensemble=settings.ensemble,
        back_projection=settings.back_projection,
    )
    return network if settings.halo_px is None else replace(network, halo_px=settings.halo_px)


def _meaning(source: Source) -> Meaning:
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
    return scratch(job.target, _key(job, networks))


def _key(job: Job, networks: list[Network]) -> str:
    """Equal for jobs with equal px: another content, setting, network or version is another job."""
    from clearzoom import __version__

    said = hashlib.sha256()
    with job.source.path.open("rb") as file:
        said.update(hashlib.file_digest(file, "sha256").digest())
    for network in networks:
        said.update(f"{network.sha256} {network.engine} {network.halo_px} {network.name} ".encode())
    said.update(f"{__version__} {job.plan} {job.source.shape}".encode())
    return said.hexdigest()[:16]


def _room(
    source: Source, folder: Scratch | None, name: str, shape: tuple[int, int, int]
) -> Samples:
    if folder is not None:
        return folder.picture(name, shape, source.dtype, cmyk=source.cmyk)
    try:
        room: Samples = np.empty(shape, source.dtype)
    except MemoryError as error:
        raise SizeError(f"{shape[1]}x{shape[0]} px do not fit into memory") from error
    return room


def _frame_room(frame: Samples, name: str, shape: tuple[int, int, int]) -> Samples:
    room: Samples = np.empty(shape, frame.dtype)
    return room


def _result_region(plan: Plan, preview: tuple[int, int, int, int] | None) -> Region:
    """What is cut from the resized picture."""
    (resized_width, resized_height), (width, height) = plan.resized_px, plan.result_px
    left, top = (resized_width - width) // 2, (resized_height - height) // 2
    if preview is None:
        return Region(left, top, left + width, top + height)
    x, y, across, down = preview
    if x + across > plan.source_px[0] or y + down > plan.source_px[1]:
        raise SizeError(
            f"--preview {x},{y},{across},{down} lies outside of the picture's "
            f"{plan.source_px[0]}x{plan.source_px[1]} px"
        )
    fx, fy = resized_width / plan.source_px[0], resized_height / plan.source_px[1]
    left, top = floor(x * fx + 0.5), floor(y * fy + 0.5)
    right, bottom = floor((x + across) * fx + 0.5), floor((y + down) * fy + 0.5)
    return Region(left, top, max(right, left + 1), max(bottom, top + 1))


def _enlarged_region(plan: Plan, cut: Region) -> Region:
    """What of the last network's result a part of the resized picture needs."""
    width, height = plan.enlarged_px
    fx, fy = width / plan.resized_px[0], height / plan.resized_px[1]
    reach = 0 if plan.enlarged_px == plan.resized_px else _RESAMPLING_REACH_PX
    return Region(
        max(0, floor(cut.left * fx) - ceil(reach * max(1, fx))),
        max(0, floor(cut.top * fy) - ceil(reach * max(1, fy))),
        min(width, ceil(cut.right * fx) + ceil(reach * max(1, fx))),
        min(height, ceil(cut.bottom * fy) + ceil(reach * max(1, fy))),
    )


def _image(samples: Samples, source: Source) -> pyvips.Image:
    if not isinstance(samples, np.memmap):
        return as_image(samples, cmyk=source.cmyk)
    samples.flush()
    kind = interpretation(samples[:1, :1], cmyk=source.cmyk)
    return stream_picture(Path(str(samples.filename))).copy(interpretation=kind)


def _resized(image: pyvips.Image, size: tuple[int, int]) -> pyvips.Image:
    width, height = size
    if (image.width, image.height) == size:
        return image
    return image.resize(width / image.width, vscale=height / image.height, kernel="cubic", gap=0)


def _interpolated(image: pyvips.Image, size: tuple[int, int]) -> pyvips.Image:
    """Enlarge bicubic. libvips' resize would shift it by an eighth of a px, so not by that."""
    sx, sy = size[0] / image.width, size[1] / image.height
    return image.affine(
        (sx, 0, 0, sy),
        interpolate=pyvips.Interpolate.new("bicubic"),
        idx=0.5 - 0.5 / sx,
        idy=0.5 - 0.5 / sy,
        oarea=[0, 0, *size],
        extend="mirror",
    )


def _write(job: Job, image: pyvips.Image, networks: list[Network]) -> list[str]:
    metadata, problems = _metadata(job, image.width, image.height, networks)
    icc_profile = job.source.icc_profile
    with whole_file(job.target) as temporary:
        problems += encode(
            temporary, job.target, image, icc_profile, job.dpi, metadata, job.settings.encoding
        )
    return problems


def _metadata(
    job: Job, width_px: int, height_px: int, networks: list[Network]
) -> tuple[Metadata, list[str]]:
    from clearzoom import __version__

    kept = job.source.metadata if job.settings.metadata == "keep" else Metadata()
    exif, problems = kept.exif, []
    if exif is not None:
        try:
            exif = updated_exif(exif, width_px, height_px, job.dpi)
        except ValueError as error:
            exif = None
            problems.append(f"{error}; it was left out")
    provenance = Provenance(
        tool=f"clearzoom {__version__}",
        model=" then ".join(f"{network.name} x{network.scale}" for network in networks)
        or "bicubic",
        weights_sha256=" ".join(network.sha256 for network in networks),
        scale=f"{job.plan.scale:.6g}",
        engine=networks[0].engine if networks else "libvips",
    )
    return Metadata(exif, with_provenance(kept.xmp, provenance), kept.iptc), problems


def _write_fidelity(
    target: Path, result: pyvips.Image, interpolated: pyvips.Image, cut: Region, source: Source
) -> None:
    check_target(target, cut.right - cut.left, cut.bottom - cut.top, has_alpha=False)
    colours = colours_of(source.channels, cmyk=source.cmyk)
    difference = (result.extract_band(0, n=colours) - interpolated.extract_band(0, n=colours)).abs()
    levels = difference.bandmean().rint().cast("ushort" if source.deep else "uchar")
    grey = levels.copy(interpretation="grey16" if source.deep else "b-w")
    grey = grey.crop(cut.left, cut.top, cut.right - cut.left, cut.bottom - cut.top)
    with whole_file(target) as temporary:
        encode(temporary, target, grey, None, None, Metadata(), Settings().encoding)


def _run_animation(job: Job, networks: list[Network], progress: Progress | None) -> Done:
    plan, source = job.plan, job.source
    frames, timing = read_frames(source.path)
    larger = []
    for index, frame in enumerate(frames):
        meaning = Meaning(3)
        told: Callable[[int, int], None] | None = None
        if progress is not None:
            told = partial(_told, progress, index, source.frames)
        result = run_stages(
            frame,
            networks,
            meaning,
            partial(_frame_room, frame),
            memory_bytes=job.settings.memory_bytes,
            progress=told,
        )
        cut = _result_region(plan, None)
        image = _resized(as_image(result), plan.resized_px)
        part = image.crop(cut.left, cut.top, cut.right - cut.left, cut.bottom - cut.top)
        larger.append(np.asarray(part.numpy()))
    metadata, problems = _metadata(job, *plan.result_px, networks)
    with whole_file(job.target) as temporary:
        problems += write_frames(
            temporary,
            job.target,
            larger,
            timing,
            metadata,
            source.icc_profile,
            job.settings.encoding,
        )
    return Done(*plan.result_px, (*job.notes, *problems))


def _told(progress: Progress, index: int, frames: int, done: int, total: int) -> None:
    progress(index * total + done, frames * total)
