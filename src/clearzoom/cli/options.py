"""Options that several commands share."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer
from pydantic import ValidationError

from clearzoom.engines import Device, Engine, Precision
from clearzoom.errors import worded
from clearzoom.io.formats import ResultFormat
from clearzoom.io.tiff_compressions import TiffCompression
from clearzoom.pipeline.fields import WIDEST_HALO_PX, WrapChoice
from clearzoom.pipeline.request import EnlargeRequest, option_of

if TYPE_CHECKING:
    from clearzoom.pipeline.settings import Settings

DEFAULTS = EnlargeRequest()


def requested(name: str, *declarations: str, hidden: bool = False) -> Any:
    """Make an option of a field of ``EnlargeRequest``, with its help and its bounds.

    Args:
        name: the name of the field.
        declarations: like ``--print``, where the option does not have the field's name.
        hidden: the help does not list the option.
    """
    field = EnlargeRequest.model_fields[name]
    words = worded(field.description or "", option_of)
    bounds = {
        side: getattr(each, bound)
        for each in field.metadata
        for side, bound in (("min", "ge"), ("max", "le"))
        if hasattr(each, bound)
    }
    return typer.Option(*declarations, help=words, hidden=hidden, **bounds)


ScaleOption = Annotated[float | None, requested("scale")]
WidthOption = Annotated[int | None, requested("width")]
HeightOption = Annotated[int | None, requested("height")]
LongEdgeOption = Annotated[int | None, requested("long_edge")]
MegapixelsOption = Annotated[float | None, requested("megapixels")]
PrintOption = Annotated[str | None, requested("print_size", "--print")]
FillOption = Annotated[bool, requested("fill", "--fill/--fit")]
BleedOption = Annotated[str | None, requested("bleed")]
ModelOption = Annotated[str, requested("model")]
StrengthOption = Annotated[float, requested("strength")]
EngineOption = Annotated[
    Engine,
    typer.Option(help="Engine of the network; auto: the fastest installed, by the model's card."),
]
DeviceOption = Annotated[
    Device,
    typer.Option(
        help="What the network runs on; auto: the fastest that is here, measured once. "
        "'clearzoom doctor' lists what is here."
    ),
]
PrecisionOption = Annotated[
    Precision,
    typer.Option(
        help="Number format; fp16 and bf16 need a GPU or --engine openvino or torch, int8 a "
        "shipped file."
    ),
]
EnsembleOption = Annotated[bool, requested("ensemble", "--ensemble")]
ConsistencyOption = Annotated[str, requested("consistency")]
DenoiseOption = Annotated[str, requested("denoise")]
OldConsistencyOption = Annotated[bool | None, requested("back_projection", hidden=True)]
HaloOption = Annotated[
    int | None,
    typer.Option(
        min=0,
        max=WIDEST_HALO_PX,
        help="Border read around each tile in px; less is faster, see docs.",
    ),
]
WrapOption = Annotated[WrapChoice, requested("wrap")]
PixelArtOption = Annotated[bool, requested("pixel_art", "--pixel-art")]
QualityOption = Annotated[int, requested("quality")]
MaxBytesOption = Annotated[str | None, requested("max_bytes")]
TiffCompressionOption = Annotated[TiffCompression, requested("tiff_compression")]
MetadataOption = Annotated[Literal["keep", "strip"], requested("metadata")]
MemoryOption = Annotated[str | None, typer.Option(help="Memory limit of the process, like 1GB.")]
MaxPixelsOption = Annotated[
    int, typer.Option(min=1, help="Largest input in px; larger are refused.")
]
RecursiveOption = Annotated[
    bool, typer.Option("--recursive", help="For a folder: include the folders in it.")
]
FormatOption = Annotated[
    ResultFormat | None,
    typer.Option(
        "--format",
        help="Format of all results of a folder. [default: each picture's own, or PNG where that "
        "cannot be written]",
    ),
]
OutputOption = Annotated[
    Path,
    typer.Option(
        "--output",
        "-o",
        metavar="OUT",
        help="Result, or a folder for a folder; the suffix sets the format. Replaces an "
        "older file.",
    ),
]


def settings_of(options: dict[str, Any]) -> "Settings":
    """Make settings of the options above.

    Args:
        options: the values by the names of the parameters of ``enlarge``.

    Raises:
        BadParameter: they contradict each other.
    """
    from clearzoom.pipeline.settings import parse_bytes

    if options["bleed"] and not options["print_size"]:
        raise typer.BadParameter("--bleed goes with --print")
    try:
        request = EnlargeRequest(**{name: options[name] for name in EnlargeRequest.model_fields})
    except ValidationError as error:
        first = error.errors()[0]
        own = first.get("ctx", {}).get("error")  # of a function of EnlargeRequest
        words = worded(str(own or first["msg"]), option_of)
        raise typer.BadParameter(f"{option_of(str(first['loc'][0]))}: {words}") from error
    return replace(
        request.settings(),
        engine=options["engine"],
        device=options["device"],
        precision=options["precision"],
        halo_px=options["halo"],
        max_pixels=options["max_pixels"],
        format=options["result_format"],
        memory_bytes=parse_bytes(options["memory"], "memory_bytes") if options["memory"] else None,
    )
