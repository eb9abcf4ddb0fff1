"""Options that several commands share."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, get_args

import typer
from pydantic import ValidationError

from clearzoom.cli import completion
from clearzoom.engines import Device, Engine, Precision
from clearzoom.errors import worded
from clearzoom.io.background import Background
from clearzoom.io.formats import ResultFormat
from clearzoom.io.tiff_compressions import TiffCompression
from clearzoom.pipeline.fields import WIDEST_HALO_PX, WrapChoice
from clearzoom.pipeline.request import EnlargeRequest, option_of

if TYPE_CHECKING:
    from clearzoom.pipeline.settings import Settings

DEFAULTS = EnlargeRequest()

SIZE, LOOK, FILE, SPEED = "Size", "Look", "File", "Speed"
"""The groups of options in the help."""


def requested(
    name: str,
    *declarations: str,
    group: str,
    hidden: bool = False,
    completion: Callable[..., list[str]] | None = None,
) -> Any:
    """Make an option of a field of ``EnlargeRequest``, with its help and its bounds.

    Args:
        name: the name of the field.
        declarations: like ``--print``, where the option does not have the field's name.
        group: the group in the help.
        hidden: the help does not list the option.
        completion: lists what the shell may complete.
    """
    field = EnlargeRequest.model_fields[name]
    words = worded(field.description or "", option_of)
    bounds = {
        side: getattr(each, bound)
        for each in field.metadata
        for side, bound in (("min", "ge"), ("max", "le"))
        if hasattr(each, bound)
    }
    return typer.Option(
        *declarations,
        help=words,
        hidden=hidden,
        rich_help_panel=group,
        autocompletion=completion,
        **bounds,
    )


SourcesArgument = Annotated[
    list[str],
    typer.Argument(
        metavar="IN",
        help="Pictures (PNG, JPEG, WebP, TIFF, GIF, AVIF, HEIC, BMP, PPM, TGA, JPEG 2000), "
        "folders, or patterns like '*.jpg'; - reads standard input.",
    ),
]
OutputOption = Annotated[
    str | None,
    typer.Option(
        "--output",
        "-o",
        metavar="OUT",
        help="Result, whose suffix sets the format and which replaces an older file; a folder, "
        "which is there or ends in /; or - for standard output. [default: beside the picture, as "
        "NAME-x4 with its suffix]",
        rich_help_panel=FILE,
    ),
]
ScaleOption = Annotated[float | None, requested("scale", group=SIZE, completion=completion.scales)]
WidthOption = Annotated[int | None, requested("width", group=SIZE)]
HeightOption = Annotated[int | None, requested("height", group=SIZE)]
LongEdgeOption = Annotated[int | None, requested("long_edge", group=SIZE)]
MegapixelsOption = Annotated[float | None, requested("megapixels", group=SIZE)]
PrintOption = Annotated[
    str | None, requested("print_size", "--print", group=SIZE, completion=completion.prints)
]
FillOption = Annotated[bool, requested("fill", "--fill/--fit", group=SIZE)]
BleedOption = Annotated[str | None, requested("bleed", group=SIZE)]
PreviewOption = Annotated[
    str | None,
    typer.Option(
        help="Enlarge only this part: x,y,width,height in px of IN.", rich_help_panel=SIZE
    ),
]
ModelOption = Annotated[str, requested("model", group=LOOK, completion=completion.models)]
StrengthOption = Annotated[float, requested("strength", group=LOOK)]
EnsembleOption = Annotated[bool, requested("ensemble", "--ensemble", group=LOOK)]
ConsistencyOption = Annotated[
    str,
    requested(
        "consistency",
        group=LOOK,
        completion=completion.words("auto", "full", "tones", "none"),
    ),
]
DenoiseOption = Annotated[
    str, requested("denoise", group=LOOK, completion=completion.words("auto", "0", "0.5", "1"))
]
OldConsistencyOption = Annotated[bool | None, requested("back_projection", group=LOOK, hidden=True)]
WrapOption = Annotated[WrapChoice, requested("wrap", group=LOOK)]
PixelArtOption = Annotated[bool, requested("pixel_art", "--pixel-art", group=LOOK)]
FidelityMapOption = Annotated[
    Path | None,
    typer.Option(
        help="File for a map of how far the result is from interpolation.", rich_help_panel=LOOK
    ),
]
FormatOption = Annotated[
    ResultFormat | None,
    typer.Option(
        "--format",
        help="Format of the results that OUT does not name. [default: each picture's own, or PNG "
        "where that cannot be written]",
        rich_help_panel=FILE,
    ),
]
QualityOption = Annotated[int, requested("quality", group=FILE)]
MaxBytesOption = Annotated[str | None, requested("max_bytes", group=FILE)]
TiffCompressionOption = Annotated[TiffCompression, requested("tiff_compression", group=FILE)]
BackgroundOption = Annotated[Background, requested("background", group=FILE)]
MetadataOption = Annotated[Literal["keep", "strip"], requested("metadata", group=FILE)]
RecursiveOption = Annotated[
    bool,
    typer.Option(
        *("-r", "--recursive"),
        help="For a folder: include the folders in it.",
        rich_help_panel=FILE,
    ),
]
EngineOption = Annotated[
    Engine,
    typer.Option(
        help="Engine of the network; auto: the fastest installed, by the model's card.",
        rich_help_panel=SPEED,
    ),
]
DeviceOption = Annotated[
    Device,
    typer.Option(
        metavar="DEVICE",  # the list of all would be wider than a terminal
        help=f"What the network runs on: {', '.join(get_args(Device)[:-1])} or "
        f"{get_args(Device)[-1]}. auto is the fastest that is here, measured once; "
        "'clearzoom doctor' lists what is here.",
        rich_help_panel=SPEED,
    ),
]
PrecisionOption = Annotated[
    Precision,
    typer.Option(
        help="Number format; fp16 and bf16 need a GPU or --engine openvino or torch, int8 a "
        "shipped file.",
        rich_help_panel=SPEED,
    ),
]
HaloOption = Annotated[
    int | None,
    typer.Option(
        min=0,
        max=WIDEST_HALO_PX,
        help="Border read around each tile in px; less is faster, see docs.",
        rich_help_panel=SPEED,
    ),
]
MemoryOption = Annotated[
    str | None,
    typer.Option(help="Memory limit of the process, like 1GB.", rich_help_panel=SPEED),
]
MaxPixelsOption = Annotated[
    int,
    typer.Option(min=1, help="Largest input in px; larger are refused.", rich_help_panel=SPEED),
]
QuietOption = Annotated[bool, typer.Option("--quiet", "-q", help="Print errors only.")]
VerboseOption = Annotated[
    bool,
    typer.Option(
        "--verbose",
        "-v",
        help="Print also what was chosen, on standard error: networks, engine, consistency, "
        "level of denoising, tiles, time.",
    ),
]
JsonOption = Annotated[
    bool, typer.Option("--json", help="Print one JSON object on standard output.")
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
