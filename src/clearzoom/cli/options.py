"""Options that several commands share."""

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
