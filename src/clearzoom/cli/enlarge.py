"""``clearzoom enlarge``."""

import time
from pathlib import Path
from typing import Annotated

import typer

from clearzoom.cli.console import progress
from clearzoom.engines import Engine, Precision
from clearzoom.weights import DEFAULT_MODEL


def enlarge(
    source: Annotated[Path, typer.Argument(metavar="IN", help="PNG, JPEG, WebP or TIFF.")],
    output: Annotated[
        Path,
        typer.Option(
            "--output",
            "-o",
            metavar="OUT",
            help="The suffix chooses the format; an older file is replaced.",
        ),
    ],
    scale: Annotated[int, typer.Option(help="How many times larger.")] = 4,
    model: Annotated[
        str, typer.Option(help="A released model (see 'clearzoom models'), or an .onnx file.")
    ] = DEFAULT_MODEL,
    engine: Annotated[
        Engine, typer.Option(help="auto: the fastest by the model's card that is installed.")
    ] = "auto",
    precision: Annotated[
        Precision, typer.Option(help="fp16, bf16: for GPUs, with --engine torch.")
    ] = "fp32",
    ensemble: Annotated[
        bool, typer.Option("--ensemble", help="Mean of eight symmetries: better, 8 times slower.")
    ] = False,
    back_projection: Annotated[
        bool,
        typer.Option(
            "--back-projection", help="Reduced again, the result is the input; for clean pictures."
        ),
    ] = False,
) -> None:
    """Enlarge a picture."""
    from clearzoom.api import enlarge_file
    from clearzoom.engines.network import load_network
    from clearzoom.engines.refine import with_back_projection, with_ensemble

    network = load_network(model, scale, engine, precision)
    if ensemble:
        network = with_ensemble(network)
    if back_projection:
        network = with_back_projection(network)
    began = time.perf_counter()
    with progress("Enlarging", "tiles") as report:
        width, height = enlarge_file(source, output, network, report)
    seconds = time.perf_counter() - began
    megapixels = width * height / 1e6
    typer.echo(
        f"{output}  {width}x{height} px  {seconds:.1f} s  {megapixels / seconds:.2f} MP/s "
        f"({network.name} x{network.scale})"
    )
