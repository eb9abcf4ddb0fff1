"""``clearzoom enlarge``."""

import time
from pathlib import Path
from typing import Annotated

import typer

from clearzoom.cli.console import progress
from clearzoom.cli.options import EngineOption, PrecisionOption
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
    engine: EngineOption = "auto",
    precision: PrecisionOption = "fp32",
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
    from clearzoom.engines.refine import refined

    loaded = load_network(model, scale, engine, precision)
    network = refined(loaded, ensemble=ensemble, back_projection=back_projection)
    began = time.perf_counter()
    with progress("Enlarging", "tiles") as report:
        width, height = enlarge_file(source, output, network, report)
    seconds = time.perf_counter() - began
    megapixels = width * height / 1e6
    typer.echo(
        f"{output}  {width}x{height} px  {seconds:.1f} s  {megapixels / seconds:.2f} MP/s "
        f"({network.name} x{network.scale})"
    )
