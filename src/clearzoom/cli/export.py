"""``clearzoom export``."""

from pathlib import Path
from typing import Annotated

import typer

from clearzoom.cli.console import say


def export(
    run: Annotated[Path, typer.Argument(help="Folder of a training run.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder for the three files.")],
    test_sets: Annotated[
        Path | None, typer.Option(help="Folder with a folder for each test set, for the scores.")
    ] = None,
    name: Annotated[
        str | None, typer.Option(help="The model's name. [default: the network's]")
    ] = None,
    int8: Annotated[
        bool, typer.Option("--int8", help="Also int8, where it is 1.4 times as fast here.")
    ] = False,
    psnr_model: Annotated[
        str | None,
        typer.Option(help="Of perceptual weights: the model in OUTPUT that they started from."),
    ] = None,
    strength: Annotated[
        float,
        typer.Option(
            min=0, max=1, help="Of the run's weights in those written; the rest are --psnr-model's."
        ),
    ] = 1.0,
    tile_px: Annotated[int, typer.Option(min=16, help="Core side of a tile, LR px.")] = 256,
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
        strength=strength,
    )
    for file in card.files:
        say(f"{output / file.name}  {file.bytes:,} bytes  sha256 {file.sha256}")
    for row in card.scores:
        say(f"{row.data} x{row.scale} {row.model}: {row.psnr_db:.2f} dB  {row.ssim:.4f}")
