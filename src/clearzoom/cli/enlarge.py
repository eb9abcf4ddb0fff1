"""``clearzoom enlarge`` and ``clearzoom plan``."""

import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import wraps
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer
from pydantic import ValidationError

from clearzoom.batch.request import EnlargeRequest
from clearzoom.cli.console import progress, say
from clearzoom.cli.options import (
    DEFAULTS,
    ConsistencyOption,
    DenoiseOption,
    EngineOption,
    OldConsistencyOption,
    OutputOption,
    PrecisionOption,
    StrengthOption,
    requested,
)
from clearzoom.core.shown import shown
from clearzoom.io.formats import ResultFormat
from clearzoom.io.tiff_compressions import TiffCompression

if TYPE_CHECKING:
    from clearzoom.batch.folder import Counts
    from clearzoom.batch.job import Job
    from clearzoom.batch.settings import Settings


def enlarge(
    source: Annotated[
        Path,
        typer.Argument(
            metavar="IN",
            readable=False,
            help="PNG, JPEG, WebP, TIFF, GIF, AVIF, HEIC, BMP, PPM, TGA, JPEG 2000; or a folder.",
        ),
    ],
    output: OutputOption,
    scale: Annotated[float | None, requested("scale")] = DEFAULTS.scale,
    width: Annotated[int | None, requested("width")] = DEFAULTS.width,
    height: Annotated[int | None, requested("height")] = DEFAULTS.height,
    long_edge: Annotated[int | None, requested("long_edge")] = DEFAULTS.long_edge,
    megapixels: Annotated[float | None, requested("megapixels")] = DEFAULTS.megapixels,
    print_size: Annotated[str | None, requested("print_size", "--print")] = DEFAULTS.print_size,
    fill: Annotated[bool, requested("fill", "--fill/--fit")] = DEFAULTS.fill,
    bleed: Annotated[str | None, requested("bleed")] = DEFAULTS.bleed,
    model: Annotated[str, requested("model")] = DEFAULTS.model,
    strength: StrengthOption = DEFAULTS.strength,
    engine: EngineOption = "auto",
    precision: PrecisionOption = "fp32",
    ensemble: Annotated[bool, requested("ensemble", "--ensemble")] = DEFAULTS.ensemble,
    consistency: ConsistencyOption = "auto",
    denoise: DenoiseOption = "auto",
    back_projection: OldConsistencyOption = None,
    halo: Annotated[
        int | None, typer.Option(min=0, help="px read around tiles; fewer is faster, see docs.")
    ] = None,
    quality: Annotated[int, requested("quality")] = DEFAULTS.quality,
    max_bytes: Annotated[str | None, requested("max_bytes")] = DEFAULTS.max_bytes,
    tiff_compression: Annotated[
        TiffCompression, requested("tiff_compression")
    ] = DEFAULTS.tiff_compression,
    metadata: Annotated[Literal["keep", "strip"], requested("metadata")] = DEFAULTS.metadata,
    memory: Annotated[
        str | None, typer.Option(help="Like 1GB: the most that the process takes.")
    ] = None,
    max_pixels: Annotated[int, typer.Option(help="Larger inputs are refused.")] = 1_000_000_000,
    preview: Annotated[
        str | None, typer.Option(help="x,y,width,height in px of IN: enlarge this part only.")
    ] = None,
    fidelity_map: Annotated[
        Path | None, typer.Option(help="Write how far the result is from interpolation.")
    ] = None,
    recursive: Annotated[
        bool, typer.Option("--recursive", help="Of a folder: also the folders in it.")
    ] = False,
    result_format: Annotated[
        ResultFormat | None,
        typer.Option(
            "--format",
            help="Of all results of a folder; left out, each has its picture's, or PNG where that "
            "is not written.",
        ),
    ] = None,
) -> None:
    """Enlarge a picture, or all pictures of a folder.

    A folder is mirrored into OUT; what is done already is skipped, so the same command goes on
    where it was broken off.
    """
    from clearzoom.batch.job import plan_job, run_job
    from clearzoom.batch.paths import is_folder
    from clearzoom.batch.settings import parse_region

    settings = settings_of(locals())
    if is_folder(source):
        _check_for_folder(locals())
        _folder(source, output, settings, recursive=recursive)
        return
    part = parse_region(preview) if preview is not None else None
    job = plan_job(source, output, settings, preview=part)
    began = time.perf_counter()
    with stoppable(), progress("Enlarging", "tiles", _megapixels(job)) as report:
        done = run_job(job, report, fidelity_map=fidelity_map)
    seconds = time.perf_counter() - began
    for note in done.notes:
        say(f"note: {note}", err=True)
    say(
        f"{output}  {done.width_px}x{done.height_px} px  {seconds:.1f} s  "
        f"{done.width_px * done.height_px / 1e6 / seconds:.2f} MP/s ({_networks(job)})"
    )


@wraps(enlarge)
def plan(**asked: Any) -> None:
    """Say what 'enlarge' with the same options would do; nothing is computed or written."""
    from clearzoom.batch.job import networks_of, plan_job
    from clearzoom.batch.paths import is_folder
    from clearzoom.batch.settings import parse_region

    settings = settings_of(asked)
    if is_folder(asked["source"]):
        _check_for_folder(asked)
        _plan_folder(asked["source"], asked["output"], settings, recursive=asked["recursive"])
        return
    part = parse_region(asked["preview"]) if asked["preview"] is not None else None
    job = plan_job(asked["source"], asked["output"], settings, preview=part)
    networks_of(job)  # what cannot be loaded is no plan
    source, planned = job.source, job.plan
    bits = 16 if source.deep else 8
    width, height = job.cut.width_px, job.cut.height_px
    lines = [
        f"input    {source.path}  {source.kind}  {source.width_px}x{source.height_px} px  "
        f"{bits} bit  {_colours(job)}" + (f"  {source.frames} frames" if source.frames > 1 else ""),
        f"networks {_networks(job)}: {planned.enlarged_px[0]}x{planned.enlarged_px[1]} px",
    ]
    if planned.stages:
        lines.append(f"chosen   {_chosen(job, settings)}")
    if planned.resized_px != planned.enlarged_px:
        lines.append(f"resample {planned.resized_px[0]}x{planned.resized_px[1]} px, bicubic")
    if job.preview:
        lines.append(f"cut      {width}x{height} px, --preview")
    elif planned.result_px != planned.resized_px:
        lines.append(f"cut      {width}x{height} px, from the middle")
    stated = f"  {job.dpi[0]:.0f} dpi" if job.dpi else ""
    lines.append(
        f"result   {job.target}  {width}x{height} px  {width * height / 1e6:.1f} MP{stated}"
    )
    lines += [f"note     {note}" for note in job.notes]
    for line in lines:
        say(line)


# The options are those of enlarge; the name and the help are its own.
plan.__name__ = "plan"
plan.__doc__ = "Say what 'enlarge' with the same options would do; nothing is computed or written."


def _plan_folder(source: Path, output: Path, settings: "Settings", *, recursive: bool) -> None:
    from clearzoom.batch.folder_plan import plan_folder
    from clearzoom.batch.tree import said_left_out

    pictures, before, failures, px = 0, 0, 0, 0
    folder = plan_folder(source, output, settings, recursive=recursive)
    for picture in folder.pictures:
        planned = picture.job
        if picture.error is not None:
            failures += 1
            say(f"{picture.file}  fails: {picture.error}")
        elif planned is None:
            before += 1
            say(f"{picture.file}  done before")
        else:
            pictures += 1
            px += _say_planned(picture.file, planned, settings)
    others = said_left_out(folder.listing.left_out.values())
    say(
        f"{output}  {pictures} pictures, {px / 1e6:.1f} MP; {before} done before, {failures} will "
        f"fail{f', {others}' if others else ''}"
    )
    if failures:
        raise typer.Exit(3)


def _say_planned(name: str, planned: "Job", settings: "Settings") -> int:
    """Print the lines of one picture of a folder; gives the px of its result."""
    frames = planned.source.frames
    (width, height), before = planned.plan.result_px, planned.plan.source_px
    say(
        f"{name}  {before[0]}x{before[1]} px -> {width}x{height} px"
        + (f"  {frames} frames" if frames > 1 else "")
        + f"  ({_networks(planned)}"
        + (f"; {_chosen(planned, settings)})" if planned.plan.stages else ")")
    )
    for note in planned.notes:
        say(f"  note: {note}")
    return width * height * frames


def _megapixels(job: "Job") -> float:
    """Of all frames of the result."""
    return job.cut.width_px * job.cut.height_px * job.source.frames / 1e6


def _colours(job: "Job") -> str:
    source = job.source
    name = "CMYK" if source.cmyk else "grey" if source.channels <= 2 else "RGB"
    return name + (" and alpha" if source.has_alpha else "")


def _networks(job: "Job") -> str:
    chain = ", ".join(f"x{scale}" for scale in job.plan.stages)
    return f"{job.settings.model} {chain}" if chain else "none"


def _chosen(job: "Job", settings: "Settings") -> str:
    """What was left to the picture, and what it gave."""
    from clearzoom.engines.refine import consistency_text

    consistency, denoise = job.settings.consistency, job.settings.denoise
    assert consistency != "auto"
    words = f"consistency {consistency_text(consistency)}"
    words += " (auto)" if settings.consistency == "auto" else ""
    if denoise is not None:
        words += f", denoise {denoise:g}" + (" (auto)" if settings.denoise == "auto" else "")
    return words


def settings_of(asked: dict[str, Any]) -> "Settings":
    """Understand the options of these commands.

    Args:
        asked: by name of the parameter.

    Raises:
        BadParameter: they do not go together.
    """
    from clearzoom.batch.settings import parse_bytes

    if asked["bleed"] and not asked["print_size"]:
        raise typer.BadParameter("--bleed goes with --print")
    try:
        request = EnlargeRequest(**{name: asked[name] for name in EnlargeRequest.model_fields})
    except ValidationError as error:
        first = error.errors()[0]
        raise typer.BadParameter(f"{first['loc'][0]}: {first['msg']}") from error
    return replace(
        request.settings(),
        engine=asked["engine"],
        precision=asked["precision"],
        halo_px=asked["halo"],
        max_pixels=asked["max_pixels"],
        format=asked["result_format"],
        memory_bytes=parse_bytes(asked["memory"]) if asked["memory"] else None,
    )


def _check_for_folder(asked: dict[str, Any]) -> None:
    if asked["preview"] or asked["fidelity_map"]:
        raise typer.BadParameter("--preview and --fidelity-map are for one picture")


@contextmanager
def stoppable() -> Iterator[None]:
    """Stop after the tiles at work on Ctrl-C, and at once on a second: that harms as a kill does.

    Called by the main thread.
    """
    before = signal.signal(signal.SIGINT, _stop)
    try:
        yield
    except KeyboardInterrupt:
        say("stopped; the same command goes on from here", err=True)
        raise typer.Exit(130) from None
    finally:
        if signal.getsignal(signal.SIGINT) is _stop:  # else a second Ctrl-C ends at once
            signal.signal(signal.SIGINT, before)


def _stop(number: int, frame: FrameType | None) -> None:
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    if sys.stderr.isatty():
        sys.stderr.write("\x1b[?25h")  # the bar hides the cursor, which a sudden end would not show
        sys.stderr.flush()
    raise KeyboardInterrupt


def _folder(source: Path, output: Path, settings: "Settings", *, recursive: bool) -> None:
    from clearzoom.batch.folder import enlarge_folder

    began = time.perf_counter()
    with stoppable(), progress("Enlarging", "pictures") as report:
        counts = enlarge_folder(source, output, settings, recursive=recursive, progress=report)
    end_of_folder(output, counts, time.perf_counter() - began)


def end_of_folder(target: object, counts: "Counts", seconds: float) -> None:
    """Say what was done, what failed and where the rows are; exit with 3 where pictures failed."""
    from clearzoom.batch.tree import said_left_out

    others = said_left_out(counts.left_out)
    say(
        f"{target}  {counts.done} enlarged, {counts.skipped} done before, {counts.failed} failed"
        f"{f', {others}' if others else ''}  "
        f"{seconds:.1f} s  {counts.megapixels / seconds:.2f} MP/s; see {target}/report.jsonl"
    )
    for name, error in counts.failures:
        say(f"failed: {error if shown(name) in error else f'{name}: {error}'}", err=True)
    if counts.failed > len(counts.failures):
        say(f"failed: {counts.failed - len(counts.failures)} more", err=True)
    if counts.failed:
        raise typer.Exit(3)
