"""``clearzoom export``."""

from pathlib import Path
from typing import Annotated

import typer

from clearzoom.cli.console import say


def export(
    run: Annotated[Path, typer.Argument(help="Folder of a training run.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder for the three files.")],
    test_sets: Annotated[
        Path | None, typer.Option(help="Folder with one folder per test set, to measure scores on.")
    ] = None,
    name: Annotated[
        str | None, typer.Option(help="Name of the model. [default: the network's]")
    ] = None,
    int8: Annotated[
        bool,
        typer.Option("--int8", help="Also write int8, if it is at least 1.4 times as fast here."),
    ] = False,
    psnr_model: Annotated[
        str | None,
        typer.Option(help="For perceptual weights: the model in OUTPUT that they started from."),
    ] = None,
    init: Annotated[
        Path | None,
        typer.Option(help="For --strength, in place of --psnr-model: what the run started from."),
    ] = None,
    strength: Annotated[
        float,
        typer.Option(
            min=0,
            max=1,
            help="Share of the run's weights in the result; the rest is of --psnr-model or --init.",
        ),
    ] = 1.0,
    tile_px: Annotated[int, typer.Option(min=16, help="Side of a tile's core in LR px.")] = 256,
) -> None:
    """Write a run's best weights as safetensors and ONNX, with a card. Needs the extra [train]."""
    from clearzoom.train.release import release

    card = release(
        run,
        output,
        tile_px,
        test_sets,
        name=name,
        int8=int8,
        psnr_model=psnr_model,
        initial_weights=init,
        strength=strength,
    )
    for file in card.files:
        say(f"{output / file.name}  {file.bytes:,} bytes  sha256 {file.sha256}")
    for row in card.scores:
        say(f"{row.data} x{row.scale} {row.model}: {row.psnr_db:.2f} dB  {row.ssim:.4f}")
