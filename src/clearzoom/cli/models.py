"""``clearzoom models``."""

import json
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

_INPUT_PX = 64


def models(
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """List the released weights, and count the networks (with the extra [train])."""
    from clearzoom.weights import released

    cards = released()
    networks = _count_networks()
    if as_json:
        weights = [card.model_dump() for card in cards]
        typer.echo(json.dumps({"networks": networks, "weights": weights}, indent=2))
        return
    console = Console()
    if networks is None:
        typer.echo("networks are counted where torch is: pip install 'clearzoom[train]'", err=True)
    else:
        table = Table(title=f"Networks, x4, input 3x{_INPUT_PX}x{_INPUT_PX}")
        for column in ("network", "parameters", "MACC", "FLOPs", "receptive field"):
            table.add_column(
                column, justify="left" if column == "network" else "right", no_wrap=True
            )
        for row in networks:
            table.add_row(
                row["network"],
                f"{row['parameters']:,}",
                f"{row['macc']:,}",
                f"{row['flops'] / 1e9:.5f} G",
                f"{row['receptive_field_px']} LR px",
            )
        console.print(table)
    table = Table(title="Released weights: PSNR / SSIM")
    sets = list(dict.fromkeys(row.data for card in cards for row in card.scores))
    for column in ("model", "scale", "file", *sets):
        table.add_column(column, justify="left" if column == "model" else "right", no_wrap=True)
    for card in cards:
        own = {row.data: row for row in card.scores if row.model == card.name}
        scores = [f"{own[s].psnr_db:.2f} / {own[s].ssim:.4f}" if s in own else "" for s in sets]
        size = next(file.bytes for file in card.files if file.name.endswith(".onnx"))
        table.add_row(card.name, f"x{card.scale}", f"{size / 1e6:.1f} MB", *scores)
    console.print(table)


def _count_networks() -> list[dict[str, Any]] | None:
    try:
        from clearzoom.models.count import FORMULA, count
        from clearzoom.models.reach import reach_px
        from clearzoom.models.registry import NETWORKS, build
    except ModuleNotFoundError as error:
        if error.name != "torch":
            raise
        return None
    rows = []
    for name in NETWORKS:
        net = build(name)
        counted = count(net, _INPUT_PX, _INPUT_PX)
        rows.append(
            {
                "network": name,
                "scale": net.config.scale,
                "input": [3, _INPUT_PX, _INPUT_PX],
                "parameters": counted.parameters,
                "macc": counted.macc,
                "flops": counted.flops,
                "formula": FORMULA,
                "receptive_field_px": 2 * reach_px(net) + 1,
                "settings": net.config.model_dump(mode="json"),
            }
        )
    return rows
