"""``clearzoom evaluate``."""

import math
import shlex
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer
from rich.table import Table

from clearzoom.cli import completion
from clearzoom.cli.console import progress, say, say_json
from clearzoom.cli.options import (
    ConsistencyOption,
    DenoiseOption,
    DeviceOption,
    EngineOption,
    PrecisionOption,
    StrengthOption,
)
from clearzoom.io.terminal import PlainConsole
from clearzoom.weights import PROTOCOL_MODEL

if TYPE_CHECKING:
    from clearzoom.metrics.evaluate import Row
    from clearzoom.metrics.protocol import Score


def evaluate(
    data: Annotated[Path, typer.Option(help="Folder of HR pictures.")],
    model: Annotated[
        list[str] | None,
        typer.Option(
            help="Name of a model, or an .onnx file; given several times, each has its row. "
            f"[default: {PROTOCOL_MODEL}]",
            autocompletion=completion.models,
        ),
    ] = None,
    scale: Annotated[
        int,
        typer.Option(help="How many times HR is larger than LR.", autocompletion=completion.scales),
    ] = 4,
    strength: StrengthOption = 1.0,
    engine: EngineOption = "auto",
    device: DeviceOption = "auto",
    precision: PrecisionOption = "fp32",
    ensemble: Annotated[
        bool, typer.Option("--ensemble", help="Add a row: the average over eight flips and turns.")
    ] = False,
    consistency: ConsistencyOption = "auto",
    denoise: DenoiseOption = "auto",
    back_projection: Annotated[
        bool,
        typer.Option("--back-projection", hidden=True, help="Add a row with --consistency full."),
    ] = False,
    jpeg_quality: Annotated[
        int | None,
        typer.Option(
            min=1,
            max=100,
            help="Compress LR as JPEG first, outside the protocol.",
        ),
    ] = None,
    faults: Annotated[
        Literal["mild", "usual", "heavy"] | None,
        typer.Option(help="Spoil LR by the recipe faults-1, outside the protocol."),
    ] = None,
    lpips: Annotated[
        bool,
        typer.Option(
            "--lpips",
            help="Add a column: LPIPS (AlexNet); lower is nearer. Needs [train] and its weights: "
            "clearzoom weights fetch lpips.",
        ),
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Measure PSNR, SSIM and RMSE by the protocol; the first row is always bicubic."""
    from clearzoom.core.targets import Wanted
    from clearzoom.metrics.evaluate import evaluate as measure
    from clearzoom.metrics.faults import RECIPE
    from clearzoom.metrics.protocol import PROTOCOL
    from clearzoom.pipeline.command_method import as_command
    from clearzoom.pipeline.fields import parse_consistency, parse_denoise
    from clearzoom.pipeline.settings import Settings

    shared = Settings(
        Wanted(scale),
        engine=engine,
        device=device,
        precision=precision,
        strength=strength,
        consistency=parse_consistency(consistency),
        denoise=parse_denoise(denoise),
    )
    plain = [replace(shared, model=each) for each in model or [PROTOCOL_MODEL]]
    rows_of = [replace(each, ensemble=e) for each in plain for e in (False, True)[: 1 + ensemble]]
    if back_projection:
        rows_of += [replace(each, consistency="full") for each in rows_of]
    methods = [as_command(each) for each in rows_of]
    with progress("Measuring", "pictures") as report:
        rows = measure(data, scale, methods, jpeg_quality, report, lpips, faults)
    if as_json:
        command = shlex.join(["clearzoom", *sys.argv[1:]])
        is_protocol = jpeg_quality is None and faults is None
        described = {
            "protocol": PROTOCOL if is_protocol else f"{rows[0].data}; else {PROTOCOL}",
            **({} if faults is None else {"faults": {"recipe": RECIPE, "kind": faults}}),
            "command": command,
            **({"lpips": _lpips_as_json()} if lpips else {}),
            "rows": [_as_json(row, command) for row in rows],
        }
        say_json(described)
    else:
        _print_table(rows)


def _as_json(row: "Row", command: str) -> dict[str, Any]:
    return {
        "model": row.model,
        "weights_sha256": row.weights_sha256,
        "data": row.data,
        "data_sha256": row.data_sha256,
        "scale": row.scale,
        "pictures": len(row.pictures),
        "psnr_db": _finite(row.psnr_db),
        "ssim": row.ssim,
        "rmse_percent": row.rmse_percent,
        **({} if row.lpips is None else {"lpips": row.lpips}),
        "command": command,
        "per_picture": [
            {
                "picture": name,
                "psnr_db": _finite(score.psnr_db),
                "ssim": score.ssim,
                "rmse_percent": score.rmse_percent,
                **({} if score.lpips is None else {"lpips": score.lpips}),
            }
            for name, score in row.pictures
        ],
    }


def _lpips_as_json() -> dict[str, str]:
    from clearzoom.losses.source import PICKLES

    return {
        "version": "0.1",
        "network": "alexnet",
        "input": "RGB, scale px shaved",
        "weights_sha256": PICKLES["alexnet"].sha256,
    }


def _finite(decibels: float) -> float | None:
    # Equal pictures have infinite PSNR, which JSON cannot say.
    return decibels if math.isfinite(decibels) else None


def _print_table(rows: "list[Row]") -> None:
    first = rows[0]
    title = f"{first.data} x{first.scale}: PSNR dB / SSIM / rmse %"
    table = Table(title=title if first.lpips is None else f"{title} / LPIPS")
    table.add_column("picture")
    for row in rows:
        table.add_column(row.model, justify="right")
    for index, (name, _) in enumerate(first.pictures):
        scores = [row.pictures[index][1] for row in rows]
        table.add_row(name, *map(_cell, scores))
    table.add_section()
    table.add_row(f"mean of {len(first.pictures)}", *map(_cell, rows))
    PlainConsole().print(table)
    for row in rows:
        if row.weights_sha256:
            say(f"weights sha256 {row.weights_sha256}  ({row.model})")
    if first.lpips is not None:
        say(f"LPIPS sha256   {_lpips_as_json()['weights_sha256']}  (0.1, AlexNet)")
    say(f"data sha256    {first.data_sha256}  ({first.data})")


def _cell(scores: "Row | Score") -> str:
    words = f"{scores.psnr_db:.2f} / {scores.ssim:.4f} / {scores.rmse_percent:.3f}"
    return words if scores.lpips is None else f"{words} / {scores.lpips:.4f}"
