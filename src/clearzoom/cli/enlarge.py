"""``clearzoom enlarge``."""

import time
from typing import TYPE_CHECKING

import typer

from clearzoom.cli import options
from clearzoom.cli.console import failure_text
from clearzoom.cli.defaults import chosen
from clearzoom.cli.interrupt import stoppable
from clearzoom.cli.options import DEFAULTS, settings_of
from clearzoom.cli.reporting import Reporting
from clearzoom.errors import ClearzoomError

if TYPE_CHECKING:
    from clearzoom.batch.batch import Batch
    from clearzoom.cli.selection import Many, Single
    from clearzoom.pipeline.job import Job
    from clearzoom.pipeline.settings import Settings


def enlarge(
    context: typer.Context,
    sources: options.SourcesArgument,
    scale: options.ScaleOption = DEFAULTS.scale,
    width: options.WidthOption = DEFAULTS.width,
    height: options.HeightOption = DEFAULTS.height,
    long_edge: options.LongEdgeOption = DEFAULTS.long_edge,
    megapixels: options.MegapixelsOption = DEFAULTS.megapixels,
    print_size: options.PrintOption = DEFAULTS.print_size,
    fill: options.FillOption = DEFAULTS.fill,
    bleed: options.BleedOption = DEFAULTS.bleed,
    preview: options.PreviewOption = None,
    model: options.ModelOption = DEFAULTS.model,
    strength: options.StrengthOption = DEFAULTS.strength,
    ensemble: options.EnsembleOption = DEFAULTS.ensemble,
    consistency: options.ConsistencyOption = "auto",
    denoise: options.DenoiseOption = "auto",
    back_projection: options.OldConsistencyOption = None,
    wrap: options.WrapOption = DEFAULTS.wrap,
    pixel_art: options.PixelArtOption = DEFAULTS.pixel_art,
    fidelity_map: options.FidelityMapOption = None,
    output: options.OutputOption = None,
    result_format: options.FormatOption = None,
    quality: options.QualityOption = DEFAULTS.quality,
    max_bytes: options.MaxBytesOption = DEFAULTS.max_bytes,
    tiff_compression: options.TiffCompressionOption = DEFAULTS.tiff_compression,
    background: options.BackgroundOption = DEFAULTS.background,
    metadata: options.MetadataOption = DEFAULTS.metadata,
    recursive: options.RecursiveOption = False,
    engine: options.EngineOption = "auto",
    device: options.DeviceOption = "auto",
    precision: options.PrecisionOption = "fp32",
    halo: options.HaloOption = None,
    memory: options.MemoryOption = None,
    max_pixels: options.MaxPixelsOption = 1_000_000_000,
    quiet: options.QuietOption = False,
    verbose: options.VerboseOption = False,
    as_json: options.JsonOption = False,
) -> None:
    """Enlarge pictures, or all pictures of folders.

    Without -o, the result of photo.jpg is photo-x4.jpg beside it. A folder is mirrored into OUT,
    and so are several inputs. There, pictures that are done already are skipped, so repeating the
    command continues an interrupted run. A picture that fails does not stop the others.
    """
    from clearzoom.cli.pipes import opened
    from clearzoom.cli.selection import Many, select
    from clearzoom.pipeline.networks import check_networks

    values = chosen(context)
    settings = settings_of(values)
    reporting = Reporting.of("enlarge", values)
    began = time.perf_counter()
    with opened(sources, output, settings.format, writes=True, as_json=as_json) as ends:
        reporting.piped, reporting.named = ends.prints, ends.named
        work = select(ends.sources, ends.output, settings, part=preview is not None)
        check_one_picture(work, values)
        alone = len(work) == 1
        if not alone:
            check_networks(settings)  # what would fail for each is refused once
        for each in work:
            try:
                if isinstance(each, Many):
                    _many(each, settings, reporting, recursive=recursive)
                else:
                    _one(each, settings, values, reporting)
            except ClearzoomError as error:
                reporting.take_failure(each.named, error, alone=alone)
                if alone:
                    raise
    reporting.run.seconds = round(time.perf_counter() - began, 3)
    run = reporting.run
    if not alone:
        reporting.say(f"{run.done} enlarged, {run.failed} failed  {run.seconds:.1f} s")
    reporting.end()


def check_one_picture(work: "list[Single | Many]", values: dict[str, object]) -> None:
    """Refuse options that only work for one picture.

    Args:
        work: what was selected.
        values: of the options.
    """
    from clearzoom.cli.selection import Single

    if len(work) == 1 and isinstance(work[0], Single):
        return
    if values["preview"] or values["fidelity_map"]:
        raise typer.BadParameter("--preview and --fidelity-map are for one picture")


def _one(
    single: "Single", settings: "Settings", values: dict[str, object], reporting: Reporting
) -> None:
    from clearzoom.batch.storage import LocalFolder
    from clearzoom.cli.json_report import picture_of
    from clearzoom.cli.plan_lines import chain_text, network_lines, plan_lines
    from clearzoom.pipeline.job import networks_of
    from clearzoom.pipeline.run import run_job
    from clearzoom.pipeline.settings import parse_region

    preview, fidelity_map = values["preview"], values["fidelity_map"]
    part = parse_region(str(preview)) if preview is not None else None
    job = single.planned(settings, part)
    networks = networks_of(job)
    if reporting.verbose:
        for line in (*plan_lines(job, settings), *network_lines(job, networks)):
            reporting.detail(line)
    if single.named_here:
        LocalFolder(str(job.target.parent)).make_folder(job.target.name)
    began = time.perf_counter()
    with stoppable(), reporting.progress("Enlarging", "tiles", _megapixels(job)) as report:
        done = run_job(job, report, fidelity_map=fidelity_map)  # type: ignore[arg-type]
    seconds = time.perf_counter() - began
    picture = picture_of(job, networks).model_copy(
        update={
            "status": "done",
            "bytes": job.target.stat().st_size,
            "seconds": round(seconds, 3),
            "notes": list(done.notes),
        }
    )
    reporting.run.take(picture)
    for note in done.notes:
        reporting.note(note)
    reporting.say(
        f"{job.target}  {done.width_px}x{done.height_px} px  {seconds:.1f} s  "
        f"{done.width_px * done.height_px / 1e6 / seconds:.2f} MP/s ({chain_text(job)})"
    )


def _megapixels(job: "Job") -> float:
    """Return the size of all frames of the result together."""
    return job.cut.width * job.cut.height * job.source.frames / 1e6


def _many(many: "Many", settings: "Settings", reporting: Reporting, *, recursive: bool) -> None:
    from clearzoom.batch.batch import Batch, ThreadExecutor
    from clearzoom.batch.storage import LocalFolder

    began = time.perf_counter()
    target = LocalFolder(str(many.target))
    with stoppable(), reporting.progress("Enlarging", "pictures") as report:
        batch = Batch(many.source, target, settings, recursive=recursive)
        reporting.describe(batch)
        report(0, len(batch.tasks))
        batch.run(ThreadExecutor(), report)
    end_of_batch(batch, many.target, reporting, time.perf_counter() - began)


def end_of_batch(batch: "Batch", target: object, reporting: Reporting, seconds: float) -> None:
    """Tell counts, failures and the place of the report.

    Args:
        batch: it has run.
        target: the folder or address of the results.
        reporting: tells it.
        seconds: the time that it took.
    """
    from clearzoom.batch.tree import left_out_text

    counts = batch.counts
    reporting.take_batch(batch)
    others = left_out_text(counts.left_out)
    pictures = f"{counts.noted} picture{'s' if counts.noted > 1 else ''}"
    noted = f", with notes on {pictures}" if counts.noted else ""
    rate = f"  {counts.megapixels / seconds:.2f} MP/s" if counts.done else ""
    reporting.say(
        f"{target}  {counts.done} enlarged, {counts.skipped} done before, {counts.failed} failed"
        f"{f', {others}' if others else ''}  "
        f"{seconds:.1f} s{rate}; see {target}/report.jsonl{noted}"
    )
    for name, error in counts.failures:
        reporting.failed(failure_text(name, error))
    if counts.failed > len(counts.failures):
        reporting.failed(f"{counts.failed - len(counts.failures)} more")
