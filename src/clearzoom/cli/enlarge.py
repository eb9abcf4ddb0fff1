"""``clearzoom enlarge`` and ``clearzoom plan``."""

import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import wraps
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from clearzoom.cli.console import progress
from clearzoom.cli.options import EngineOption, OutputOption, PrecisionOption, StrengthOption
from clearzoom.weights import DEFAULT_MODEL

if TYPE_CHECKING:
    from clearzoom.batch.job import Job
    from clearzoom.batch.settings import Settings


def enlarge(
    source: Annotated[
        Path,
        typer.Argument(
            metavar="IN",
            readable=False,
            help="PNG, JPEG, WebP, TIFF, GIF, AVIF, HEIC; or a folder.",
        ),
    ],
    output: OutputOption,
    scale: Annotated[
        float | None, typer.Option(help="How many times larger; 4 if no size is given.")
    ] = None,
    width: Annotated[int | None, typer.Option(help="px.")] = None,
    height: Annotated[int | None, typer.Option(help="px; with --width a box to fit into.")] = None,
    long_edge: Annotated[int | None, typer.Option(help="px.")] = None,
    megapixels: Annotated[float | None, typer.Option(help="Millions of px.")] = None,
    print_size: Annotated[
        str | None, typer.Option("--print", help="Like 60x70cm@300dpi, 8x10in; sets the dpi.")
    ] = None,
    fill: Annotated[
        bool, typer.Option("--fill/--fit", help="Fill a box or print and cut, or fit into it.")
    ] = False,
    bleed: Annotated[str | None, typer.Option(help="Around a print, like 3mm.")] = None,
    model: Annotated[
        str, typer.Option(help="A released model (see 'clearzoom models'), or an .onnx file.")
    ] = DEFAULT_MODEL,
    strength: StrengthOption = 1.0,
    engine: EngineOption = "auto",
    precision: PrecisionOption = "fp32",
    ensemble: Annotated[
        bool, typer.Option("--ensemble", help="Mean of eight symmetries: better, 8 times slower.")
    ] = False,
    back_projection: Annotated[
        bool,
        typer.Option(
            help="Reduced again, the result is the input; without it, more noise is removed."
        ),
    ] = True,
    halo: Annotated[
        int | None, typer.Option(min=0, help="px read around tiles; fewer is faster, see docs.")
    ] = None,
    quality: Annotated[
        int, typer.Option(min=1, max=100, help="Of JPEG, WebP (100: lossless), AVIF.")
    ] = 95,
    max_bytes: Annotated[
        str | None, typer.Option(help="Like 2MB: lowers the quality until the file fits.")
    ] = None,
    tiff_compression: Annotated[
        Literal["none", "lzw", "deflate", "zstd"], typer.Option(help="Of TIFF.")
    ] = "deflate",
    metadata: Annotated[
        Literal["keep", "strip"], typer.Option(help="EXIF, XMP and IPTC of the input.")
    ] = "keep",
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
) -> None:
    """Enlarge a picture, or all pictures of a folder.

    A folder is mirrored into OUT; what is done already is skipped, so the same command goes on
    where it was broken off.
    """
    from clearzoom.batch.job import plan_job, run_job
    from clearzoom.batch.paths import is_folder
    from clearzoom.batch.settings import parse_region

    settings = _settings(locals())
    if is_folder(source):
        if preview or fidelity_map:
            raise typer.BadParameter("--preview and --fidelity-map are for one picture")
        _folder(source, output, settings, recursive=recursive)
        return
    job = plan_job(source, output, settings)
    began = time.perf_counter()
    with _stoppable(), progress("Enlarging", "tiles") as report:
        done = run_job(
            job,
            report,
            preview=parse_region(preview) if preview else None,
            fidelity_map=fidelity_map,
        )
    seconds = time.perf_counter() - began
    for note in done.notes:
        typer.echo(f"note: {note}", err=True)
    typer.echo(
        f"{output}  {done.width_px}x{done.height_px} px  {seconds:.1f} s  "
        f"{done.width_px * done.height_px / 1e6 / seconds:.2f} MP/s ({_networks(job)})"
    )


@wraps(enlarge)
def plan(**asked: Any) -> None:
    """Say what 'enlarge' with the same options would do; nothing is computed or written."""
    from clearzoom.batch.job import plan_job
    from clearzoom.batch.paths import is_folder

    settings = _settings(asked)
    if is_folder(asked["source"]):
        _plan_folder(asked["source"], asked["output"], settings, recursive=asked["recursive"])
        return
    job = plan_job(asked["source"], asked["output"], settings)
    source, planned = job.source, job.plan
    bits = 16 if source.deep else 8
    width, height = planned.result_px
    lines = [
        f"input    {source.path}  {source.kind}  {source.width_px}x{source.height_px} px  "
        f"{bits} bit  {_colours(job)}" + (f"  {source.frames} frames" if source.frames > 1 else ""),
        f"networks {_networks(job)}: {planned.enlarged_px[0]}x{planned.enlarged_px[1]} px",
    ]
    if planned.resized_px != planned.enlarged_px:
        lines.append(f"resample {planned.resized_px[0]}x{planned.resized_px[1]} px, bicubic")
    if planned.result_px != planned.resized_px:
        lines.append(f"cut      {width}x{height} px, from the middle")
    stated = f"  {job.dpi[0]:.0f} dpi" if job.dpi else ""
    lines.append(
        f"result   {job.target}  {width}x{height} px  {width * height / 1e6:.1f} MP{stated}"
    )
    lines += [f"note     {note}" for note in job.notes]
    for line in lines:
        typer.echo(line)


# The options are those of enlarge; the name and the help are its own.
plan.__name__ = "plan"
plan.__doc__ = "Say what 'enlarge' with the same options would do; nothing is computed or written."


def _plan_folder(source: Path, output: Path, settings: "Settings", *, recursive: bool) -> None:
    from clearzoom.batch.folder import plan_folder

    pictures, failures, px = 0, 0, 0
    for path, planned in plan_folder(source, output, settings, recursive=recursive):
        if isinstance(planned, str):
            failures += 1
            typer.echo(f"{path.relative_to(source)}  fails: {planned}")
            continue
        pictures += 1
        frames = planned.source.frames
        (width, height), before = planned.plan.result_px, planned.plan.source_px
        px += width * height * frames
        typer.echo(
            f"{path.relative_to(source)}  {before[0]}x{before[1]} px -> {width}x{height} px"
            + (f"  {frames} frames" if frames > 1 else "")
            + f"  ({_networks(planned)})"
        )
        for note in planned.notes:
            typer.echo(f"  note: {note}")
    typer.echo(f"{output}  {pictures} pictures, {px / 1e6:.1f} MP; {failures} will fail")
    if failures:
        raise typer.Exit(3)


def _colours(job: "Job") -> str:
    source = job.source
    name = "CMYK" if source.cmyk else "grey" if source.channels <= 2 else "RGB"
    return name + (" and alpha" if source.has_alpha else "")


def _networks(job: "Job") -> str:
    chain = ", ".join(f"x{scale}" for scale in job.plan.stages)
    return f"{job.settings.model} {chain}" if chain else "none"


def _settings(asked: dict[str, Any]) -> "Settings":
    from clearzoom.batch.settings import Settings, parse_bytes
    from clearzoom.core.targets import Wanted, parse_print
    from clearzoom.io.writing import Encoding

    if asked["bleed"] and not asked["print_size"]:
        raise typer.BadParameter("--bleed goes with --print")
    sheet = parse_print(asked["print_size"], asked["bleed"]) if asked["print_size"] else None
    wanted = Wanted(
        asked["scale"],
        asked["width"],
        asked["height"],
        asked["long_edge"],
        asked["megapixels"],
        sheet,
        "fill" if asked["fill"] else "fit",
    )
    max_bytes = parse_bytes(asked["max_bytes"]) if asked["max_bytes"] else None
    return Settings(
        wanted=wanted,
        model=asked["model"],
        engine=asked["engine"],
        precision=asked["precision"],
        strength=asked["strength"],
        ensemble=asked["ensemble"],
        back_projection=asked["back_projection"],
        halo_px=asked["halo"],
        encoding=Encoding(asked["quality"], max_bytes, asked["tiff_compression"]),
        metadata=asked["metadata"],
        max_pixels=asked["max_pixels"],
        memory_bytes=parse_bytes(asked["memory"]) if asked["memory"] else None,
    )


@contextmanager
def _stoppable() -> Iterator[None]:
    """Stop after the tiles at work on Ctrl-C, and at once on a second: that harms as a kill does.

    Called by the main thread.
    """
    before = signal.signal(signal.SIGINT, _stop)
    try:
        yield
    except KeyboardInterrupt:
        typer.echo("stopped; the same command goes on from here", err=True)
        raise typer.Exit(130) from None
    finally:
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
    with _stoppable(), progress("Enlarging", "pictures") as report:
        counts = enlarge_folder(source, output, settings, recursive=recursive, progress=report)
    seconds = time.perf_counter() - began
    typer.echo(
        f"{output}  {counts.done} enlarged, {counts.skipped} done before, {counts.failed} failed  "
        f"{seconds:.1f} s  {counts.megapixels / seconds:.2f} MP/s; see {output / 'report.jsonl'}"
    )
    if counts.failed:
        raise typer.Exit(3)
