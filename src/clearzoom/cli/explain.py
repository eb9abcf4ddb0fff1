"""``clearzoom explain``."""

from pathlib import Path
from typing import Annotated

import typer

from clearzoom.cli import completion
from clearzoom.cli.console import say
from clearzoom.errors import MissingExtraError
from clearzoom.explain.chapter import INDEX, PAGES


def explain(
    topic: Annotated[
        str,
        typer.Argument(
            help=f"Page to make: {', '.join(PAGES)}; or {INDEX}, for README.md, their list.",
            autocompletion=completion.words(*PAGES, INDEX),
        ),
    ],
    out: Annotated[
        Path, typer.Option("--out", "-o", help="Folder for the page (.md) and figures (PNG, SVG).")
    ] = Path("explain"),
    data: Annotated[
        Path | None,
        typer.Option(help="For topics that train: folder with pictures in train/ and val/."),
    ] = None,
    quick: Annotated[
        bool, typer.Option("--quick", help="For topics that train: small networks, few steps.")
    ] = False,
) -> None:
    """Make a page on one topic of the course chapter. Needs the extra [explain]."""
    try:
        from clearzoom.explain.topics import write

        written = write(topic, out, data, quick=quick)
    except ModuleNotFoundError as error:
        if error.name is None or error.name.split(".")[0] == "clearzoom":
            raise
        raise MissingExtraError("clearzoom explain", "explain") from error
    for path in written:
        say(path)
