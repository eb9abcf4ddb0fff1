"""``clearzoom enlarge``."""

import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Annotated

import typer

from clearzoom.cli import options
from clearzoom.cli.console import progress, say, say_failure
from clearzoom.cli.options import DEFAULTS, settings_of

if TYPE_CHECKING:
    from clearzoom.batch.report import Counts
    from clearzoom.pipeline.job import Job
    from clearzoom.pipeline.settings import Settings


def enlarge(
    context: typer.Context,
    source: Annotated[
        Path,
        typer.Argument(
            metavar="IN",
            readable=False,
            help="PNG, JPEG, WebP, TIFF, GIF, AVIF, HEIC, BMP, PPM, TGA, JPEG 2000; or a folder.",
        ),
    ],
    output: options.OutputOption,
    scale: options.ScaleOption = DEFAULTS.scale,
    width: options.WidthOption = DEFAULTS.width,
    height: options.HeightOption = DEFAULTS.height,
    long_edge: options.LongEdgeOption = DEFAULTS.long_edge,
    megapixels: options.MegapixelsOption = DEFAULTS.megapixels,
    print_size: options.PrintOption = DEFAULTS.print_size,
    fill: options.FillOption = DEFAULTS.fill,
    bleed: options.BleedOption = DEFAULTS.bleed,
    model: options.ModelOption = DEFAULTS.model,
    strength: options.StrengthOption = DEFAULTS.strength,
    engine: options.EngineOption = "auto",
    device: options.DeviceOption = "auto",
    precision: options.PrecisionOption = "fp32",
    ensemble: options.EnsembleOption = DEFAULTS.ensemble,
    consistency: options.ConsistencyOption = "auto",
    denoise: options.DenoiseOption = "auto",
    back_projection: options.OldConsistencyOption = None,
    halo: options.HaloOption = None,
    wrap: options.WrapOption = DEFAULTS.wrap,
    pixel_art: options.PixelArtOption = DEFAULTS.pixel_art,
    quality: options.QualityOption = DEFAULTS.quality,
    max_bytes: options.MaxBytesOption = DEFAULTS.max_bytes,
    tiff_compression: options.TiffCompressionOption = DEFAULTS.tiff_compression,
    metadata: options.MetadataOption = DEFAULTS.metadata,
    memory: options.MemoryOption = None,
    max_pixels: options.MaxPixelsOption = 1_000_000_000,
    preview: Annotated[
        str | None, typer.Option(help="Enlarge only this part: x,y,width,height in px of IN.")
    ] = None,
    fidelity_map: Annotated[
        Path | None,
        typer.Option(help="File for a map of how far the result is from interpolation."),
    ] = None,
    recursive: options.RecursiveOption = False,
    result_format: options.FormatOption = None,
) -> None:
    """Enlarge a picture, or all pictures of a folder.

    A folder is mirrored into OUT. Pictures that are done already are skipped, so repeating the
    command continues an interrupted run.
    """
    from clearzoom.pipeline.job import plan_job
    from clearzoom.pipeline.paths import is_folder
    from clearzoom.pipeline.run import run_job
    from clearzoom.pipeline.settings import parse_region

    settings = settings_of(context.params)
    if is_folder(source):
        check_for_folder(preview, fidelity_map)
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
        f"{done.width_px * done.height_px / 1e6 / seconds:.2f} MP/s ({chain_text(job)})"
    )


def _megapixels(job: "Job") -> float:
    """Return the size of all frames of the result together."""
    return job.cut.width * job.cut.height * job.source.frames / 1e6


def chain_text(job: "Job") -> str:
    """Name the model, its scales in order, and the strength where it is below 1."""
    chain = ", ".join(f"x{scale}" for scale in job.plan.stages)
    if not chain:
        return "none"
    strength = job.settings.strength
    suffix = f" at strength {strength:g}" if strength < 1 else ""
    return f"{job.settings.model} {chain}{suffix}"


def check_for_folder(preview: str | None, fidelity_map: Path | None) -> None:
    """Refuse options that only work for one picture."""
    if preview or fidelity_map:
        raise typer.BadParameter("--preview and --fidelity-map are for one picture")


@contextmanager
def stoppable() -> Iterator[None]:
    """Stop the work in the block on Ctrl-C; the main thread must call this.

    The first Ctrl-C finishes the running tiles; a second aborts at once, which is as safe as a
    kill.
    """
    before = signal.signal(signal.SIGINT, _stop)
    try:
        yield
    except KeyboardInterrupt:
        say("stopped; repeat the command to continue", err=True)
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
    from clearzoom.batch.batch import enlarge_folder

    began = time.perf_counter()
    with stoppable(), progress("Enlarging", "pictures") as report:
        counts = enlarge_folder(source, output, settings, recursive=recursive, progress=report)
    end_of_folder(output, counts, time.perf_counter() - began)


def end_of_folder(target: object, counts: "Counts", seconds: float) -> None:
    """Print counts, failures and the report's place; exit with 3 if any picture failed."""
    from clearzoom.batch.tree import left_out_text

    others = left_out_text(counts.left_out)
    say(
        f"{target}  {counts.done} enlarged, {counts.skipped} done before, {counts.failed} failed"
        f"{f', {others}' if others else ''}  "
        f"{seconds:.1f} s  {counts.megapixels / seconds:.2f} MP/s; see {target}/report.jsonl"
    )
    for name, error in counts.failures:
        say_failure(name, error)
    if counts.failed > len(counts.failures):
        say(f"failed: {counts.failed - len(counts.failures)} more", err=True)
    if counts.failed:
        raise typer.Exit(3)
