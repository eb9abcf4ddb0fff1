"""``clearzoom batch``."""

import time
from functools import partial
from typing import Annotated, Literal

import typer

from clearzoom.cli import options
from clearzoom.cli.console import say
from clearzoom.cli.defaults import chosen
from clearzoom.cli.enlarge import end_of_batch
from clearzoom.cli.interrupt import stoppable
from clearzoom.cli.options import DEFAULTS, settings_of
from clearzoom.cli.reporting import Reporting
from clearzoom.engines import Engine

_of_cluster = partial(typer.Option, rich_help_panel="Cluster")

BatchEngineOption = Annotated[
    # The last two are the old spelling of --on.
    Literal["auto", "onnxruntime", "openvino", "torch", "local", "ray"],
    typer.Option(
        metavar="<auto|onnxruntime|openvino|torch>",
        help="Engine of the network; auto: the fastest installed, by the model's card.",
        rich_help_panel=options.SPEED,
    ),
]


def batch(
    context: typer.Context,
    source: Annotated[
        str, typer.Argument(metavar="SOURCE", help="A folder, or a URL like s3://bucket/scans.")
    ],
    target: Annotated[
        str,
        typer.Argument(metavar="TARGET", help="A folder or URL for the results; made if missing."),
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
    engine: BatchEngineOption = "auto",
    device: options.DeviceOption = "auto",
    precision: options.PrecisionOption = "fp32",
    halo: options.HaloOption = None,
    memory: options.MemoryOption = None,
    max_pixels: options.MaxPixelsOption = 1_000_000_000,
    on: Annotated[
        Literal["local", "ray"],
        _of_cluster(help="Run here, or on a Ray cluster, with the extra [ray]. s3:// needs [s3]."),
    ] = "local",
    address: Annotated[
        str | None,
        _of_cluster(
            help="host:port of the cluster's head, or auto. [default: a cluster started here]"
        ),
    ] = None,
    min_actors: Annotated[int, _of_cluster(min=1, help="Actors that run from the start.")] = 1,
    max_actors: Annotated[
        int | None,
        _of_cluster(min=1, help="Most actors at once. [default: as many as fit the cluster]"),
    ] = None,
    cpus: Annotated[float, _of_cluster(min=0, max=10_000, help="CPUs of each actor.")] = 1,
    gpus: Annotated[
        float, _of_cluster(min=0, max=10_000, help="GPUs of each actor, for --device cuda.")
    ] = 0,
    split_megapixels: Annotated[
        float,
        _of_cluster(min=0, max=1e9, help="With --on ray: actors share a result larger than this."),
    ] = 400,
    quiet: options.QuietOption = False,
    verbose: options.VerboseOption = False,
    as_json: options.JsonOption = False,
    network_engine: Annotated[Engine | None, typer.Option(hidden=True)] = None,
) -> None:
    """Enlarge all pictures of a folder or an object store, here or on a cluster.

    SOURCE is mirrored into TARGET, with a report.jsonl, as by 'enlarge'. Pictures that are done
    already are skipped, so repeating the command continues an interrupted batch.
    """
    from clearzoom.batch.batch import Batch, ThreadExecutor
    from clearzoom.batch.object_store import storage_of
    from clearzoom.batch.ray_cluster import Cluster, RayExecutor, connected
    from clearzoom.batch.tree import full_name

    if engine == "local" or engine == "ray":
        say(f"note: --engine {engine} is the old spelling of --on {engine}", err=True)
        on, engine = engine, "auto"
    if network_engine is not None:
        say("note: --network-engine is the old spelling of --engine", err=True)
        if engine != "auto":
            raise typer.BadParameter("--network-engine and --engine are one option; give one")
        engine = network_engine
    if on == "local" and address is not None:
        raise typer.BadParameter("--address goes with --on ray")
    settings = settings_of(chosen(context) | {"engine": engine})
    reporting = Reporting.of("batch", context.params)
    places = storage_of(source), storage_of(target)
    began = time.perf_counter()
    with stoppable(), reporting.progress("Enlarging", "pictures") as report:
        pictures = Batch(*places, settings, recursive=recursive, elsewhere=on == "ray")
        reporting.describe(pictures)
        report(0, len(pictures.tasks))
        if on == "ray":
            cluster = Cluster(address, cpus, gpus, min_actors, max_actors)
            with connected(cluster) as most_actors:
                split_px = int(split_megapixels * 1e6)
                executor = RayExecutor(cluster, most_actors, split_px=split_px)
                pictures.run(executor, report)
        else:
            pictures.run(ThreadExecutor(), report)
    seconds = time.perf_counter() - began
    end_of_batch(pictures, full_name(places[1]), reporting, seconds)
    reporting.run.seconds = round(seconds, 3)
    reporting.end()
