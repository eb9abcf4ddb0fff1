"""Options that several commands share."""

import re
from pathlib import Path
from typing import Annotated, Any

import typer

from clearzoom.engines import Engine, Precision
from clearzoom.pipeline.request import EnlargeRequest

DEFAULTS = EnlargeRequest()


def requested(name: str, *declarations: str, hidden: bool = False) -> Any:
    """Make an option of a field of what can be asked for: its help, its bounds.

    Args:
        name: of the field.
        declarations: like ``--print``, where they are not the field's name.
        hidden: the help does not name it.
    """
    field = EnlargeRequest.model_fields[name]
    said = re.sub(r"`(\w+)`", lambda found: flag(found[1]), field.description or "")
    bounds = {
        side: getattr(each, bound)
        for each in field.metadata
        for side, bound in (("min", "ge"), ("max", "le"))
        if hasattr(each, bound)
    }
    return typer.Option(*declarations, help=said, hidden=hidden, **bounds)


def flag(name: str) -> str:
    """Name the option of a field of what can be asked for."""
    if name == "print_size":
        return "--print"
    return "--" + name.replace("_", "-")


EngineOption = Annotated[
    Engine, typer.Option(help="auto: the fastest by the model's card that is installed.")
]
PrecisionOption = Annotated[
    Precision,
    typer.Option(
        help="fp16, bf16: with --engine torch or openvino. int8: where a file is shipped."
    ),
]
ConsistencyOption = Annotated[str, requested("consistency")]
DenoiseOption = Annotated[str, requested("denoise")]
OldConsistencyOption = Annotated[bool | None, requested("back_projection", hidden=True)]
StrengthOption = Annotated[float, requested("strength")]
OutputOption = Annotated[
    Path,
    typer.Option(
        "--output",
        "-o",
        metavar="OUT",
        help="The suffix chooses the format; an older file is replaced. For a folder a folder.",
    ),
]
