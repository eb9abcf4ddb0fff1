"""``clearzoom enlarge`` and ``clearzoom plan``."""

import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer
from pydantic import ValidationError

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
    flag,
    requested,
)
from clearzoom.core.shown import shown
from clearzoom.io.formats import ResultFormat
from clearzoom.io.tiff_compressions import TiffCompression
from clearzoom.pipeline.request import WIDEST_HALO_PX, EnlargeRequest

if TYPE_CHECKING:
    from clearzoom.batch.folder import Counts
    from clearzoom.pipeline.job import Job
    from clearzoom.pipeline.settings import Settings


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
        int | None,
        typer.Option(
            min=0,
            max=WIDEST_HALO_PX,
            help="px read around tiles; fewer is faster, see docs.",
        ),
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
    max_pixels: Annotated[
        int, typer.Option(min=1, help="Larger inputs are refused.")
    ] = 1_000_000_000,
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
    from clearzoom.pipeline.job import plan_job
    from clearzoom.pipeline.paths import is_folder
    from clearzoom.pipeline.run import run_job
    from clearzoom.pipeline.settings import parse_region

    settings = settings_of(locals())
    if is_folder(source):
        check_for_folder(locals())
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
        f"{done.width_px * done.height_px / 1e6 / seconds:.2f} MP/s ({networks_said(job)})"
    )


def _megapixels(job: "Job") -> float:
    """Of all frames of the result."""
    return job.cut.width * job.cut.height * job.source.frames / 1e6


def networks_said(job: "Job") -> str:
    """Name the model, its scales in order, and the strength where it is below 1."""
    chain = ", ".join(f"x{scale}" for scale in job.plan.stages)
    if not chain:
        return "none"
    strength = job.settings.strength
    suffix = f" at strength {strength:g}" if strength < 1 else ""
    return f"{job.settings.model} {chain}{suffix}"


def settings_of(asked: dict[str, Any]) -> "Settings":
    """Understand the options of these commands.

    Args:
        asked: by name of the parameter.

    Raises:
        BadParameter: they do not go together.
    """
    from clearzoom.pipeline.settings import parse_bytes

    if asked["bleed"] and not asked["print_size"]:
        raise typer.BadParameter("--bleed goes with --print")
    try:
        request = EnlargeRequest(**{name: asked[name] for name in EnlargeRequest.model_fields})
    except ValidationError as error:
        first = error.errors()[0]
        words = first["msg"].removeprefix("Value error, ")
        raise typer.BadParameter(f"{flag(str(first['loc'][0]))}: {words}") from error
    return replace(
        request.settings(),
        engine=asked["engine"],
        precision=asked["precision"],
        halo_px=asked["halo"],
        max_pixels=asked["max_pixels"],
        format=asked["result_format"],
        memory_bytes=parse_bytes(asked["memory"], "--memory") if asked["memory"] else None,
    )


def check_for_folder(asked: dict[str, Any]) -> None:
    """Refuse options that are for one picture."""
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
