"""Options that several commands share."""

from pathlib import Path
from typing import Annotated

import typer

from clearzoom.engines import Engine, Precision

EngineOption = Annotated[
    Engine, typer.Option(help="auto: the fastest by the model's card that is installed.")
]
PrecisionOption = Annotated[
    Precision,
    typer.Option(
        help="fp16, bf16: with --engine torch or openvino. int8: where a file is shipped."
    ),
]
StrengthOption = Annotated[
    float, typer.Option(min=0, max=1, help="Of a perceptual model; 0: its PSNR weights.")
]
OutputOption = Annotated[
    Path,
    typer.Option(
        "--output",
        "-o",
        metavar="OUT",
        help="The suffix chooses the format; an older file is replaced. For a folder a folder.",
    ),
]
