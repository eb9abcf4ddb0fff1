"""``clearzoom watch``."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from clearzoom.cli import options
from clearzoom.cli.console import failure_text, say
from clearzoom.cli.defaults import chosen
from clearzoom.cli.interrupt import stoppable
from clearzoom.cli.options import DEFAULTS, settings_of
from clearzoom.errors import InputError

if TYPE_CHECKING:
    from clearzoom.batch.report import Row

_NAMED = 3
"""Of more pictures that begin together only the number is printed."""


def watch(
    context: typer.Context,
    source: Annotated[str, typer.Argument(metavar="DIR", help="A folder of this machine.")],
    output: Annotated[
        str,
        typer.Option(
            "--output",
            "-o",
            metavar="OUT",
            help="A folder for the results; made if missing.",
            rich_help_panel=options.FILE,
        ),
    ],
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
    ensemble: options.EnsembleOption = DEFAULTS.ensemble,
    consistency: options.ConsistencyOption = "auto",
    denoise: options.DenoiseOption = "auto",
    back_projection: options.OldConsistencyOption = None,
    wrap: options.WrapOption = DEFAULTS.wrap,
    pixel_art: options.PixelArtOption = DEFAULTS.pixel_art,
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
) -> None:
    """Enlarge the pictures of a folder, and each that is put there later; Ctrl-C ends it.

    A picture is enlarged when its file is whole: it has not changed for a second and can be read
    to its end. Names, skipping and report.jsonl are as with 'enlarge DIR -o OUT'. This needs the
    extra [watch].
    """
    from clearzoom.batch.watch import watch_folder
    from clearzoom.cli.selection import other_command
    from clearzoom.pipeline.paths import is_folder

    settings = settings_of(chosen(context))
    for address in (source, output):
        if "://" in address:
            raise InputError(other_command(address, f"{source} {output}"))
    folder, target = Path(source), Path(output)
    counts = {"done": 0, "failed": 0, "before": 0}

    def begins(names: Sequence[str]) -> None:
        what = ", ".join(names) if len(names) <= _NAMED else f"{len(names)} pictures"
        say(f"looking at {what}", err=True)

    def finished(row: "Row", skipped: bool) -> None:
        failed = row["status"] == "failed"
        counts["before" if skipped else "failed" if failed else "done"] += 1
        if failed:
            say(f"failed: {failure_text(row['file'], row['error'])}", err=True)
        elif not skipped:
            say(f"{target / row['output']}  {row['width_px']}x{row['height_px']} px")

    if not is_folder(folder):
        raise InputError(f"{folder} is a file; name the folder that it is in")
    below = "and the folders in it" if recursive else "without the folders in it (--recursive)"
    say(f"watching {folder} {below}; results go to {target}; Ctrl-C ends it", err=True)
    with stoppable():
        try:
            watch_folder(
                folder, target, settings, recursive=recursive, begins=begins, finished=finished
            )
        except KeyboardInterrupt:
            say(
                f"{target}  {counts['done']} enlarged, {counts['before']} done before, "
                f"{counts['failed']} failed; see {target}/report.jsonl"
            )
