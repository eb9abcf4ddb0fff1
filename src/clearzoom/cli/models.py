"""``clearzoom models``: list the models; add, remove and show your own."""

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.box import SIMPLE_HEAD
from rich.console import JustifyMethod
from rich.table import Table

from clearzoom.cli import completion
from clearzoom.cli.console import say, say_json
from clearzoom.cli.plain_help import PlainCommand, PlainGroup
from clearzoom.io.terminal import PlainConsole

if TYPE_CHECKING:
    from clearzoom.weights.card import Card
    from clearzoom.weights.user_models import Own

_INPUT_PX = 64
_NAME_WIDTH = 40

models = typer.Typer(cls=PlainGroup, invoke_without_command=True, rich_markup_mode=None)

NameArgument = Annotated[
    str, typer.Argument(help="Name of a model.", autocompletion=completion.models)
]
OwnNameArgument = Annotated[
    str, typer.Argument(help="Name of a model.", autocompletion=completion.own_models)
]
ScaleOption = Annotated[
    int | None,
    typer.Option(help="Only this scale. [default: all]", autocompletion=completion.scales),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]


@models.callback()
def root(context: typer.Context, as_json: JsonOption = False) -> None:
    """List models, and count the networks (with the extra [train]); add, remove, show your own."""
    if context.invoked_subcommand is None:
        _list(as_json=as_json)


@models.command("list", cls=PlainCommand, hidden=True)
def list_as_word(as_json: JsonOption = False) -> None:
    """List models, as 'clearzoom models' does: the word that many try first."""
    _list(as_json=as_json)


@models.command(cls=PlainCommand)
def add(
    file: Annotated[
        Path,
        typer.Argument(
            metavar="FILE",
            readable=False,
            help="Network to add: .onnx, or weights of PyTorch as .pth, .ckpt or .safetensors.",
        ),
    ],
    licence: Annotated[
        str | None, typer.Option(help="Licence of the weights, as their maker states it.")
    ] = None,
    name: Annotated[
        str | None, typer.Option(help="Name of the model. [default: from the file's name]")
    ] = None,
) -> None:
    """Add a network that 'clearzoom export' or 'tune' wrote, or one from elsewhere.

    A network from elsewhere is run in a process of its own, to measure its scale, range of values,
    order of colours, sizes and receptive field. That takes a minute or more. Networks that see the
    whole picture work, too; one that gives no enlarged picture is refused. Weights of PyTorch are
    read with spandrel, which the extra [models] installs.
    """
    from clearzoom.probe.add import add_model

    own = add_model(file, licence, name, say=partial(say, err=True))
    say(
        f"{own.name} x{own.scale} is added; try: "
        f"clearzoom enlarge IN --model {own.name} --scale {own.scale}"
    )


@models.command(cls=PlainCommand)
def remove(name: OwnNameArgument, scale: ScaleOption = None) -> None:
    """Remove a model of your own."""
    from clearzoom.weights.user_models import remove as remove_own

    for path in remove_own(name, scale):
        say(f"removed {path}")


@models.command(cls=PlainCommand)
def show(name: NameArgument, scale: ScaleOption = None) -> None:
    """Print a model's cards as JSON, after checking its files against their hashes."""
    from clearzoom.weights import find, scales_of
    from clearzoom.weights.user_models import check_file

    paths = [find(name, each) for each in ([scale] if scale is not None else scales_of(name))]
    cards = []
    for path in paths:
        card = check_file(path)
        for file in card.files:
            check_file(path.with_name(file.name))
        cards.append({"file": str(path), **card.model_dump(mode="json")})
    say_json(cards)


def _list(*, as_json: bool) -> None:
    from clearzoom.weights import DEFAULT_MODEL, released
    from clearzoom.weights.shipped import ABOUT
    from clearzoom.weights.user_models import own_models

    cards, own = released(), own_models()
    networks = _count_networks()
    if as_json:
        listed: dict[str, Any] = {
            "networks": networks,
            "weights": [card.model_dump() for card in cards],
            "own": [each.card.model_dump(mode="json") for each in own if each.card is not None],
            "damaged": [each.fault for each in own if each.fault is not None],
        }
        say_json(listed)
        return
    console = PlainConsole()
    if networks is not None:
        console.print(_network_table(networks))
    console.print(_weights_table("Released weights: PSNR / SSIM", cards))
    for name, purpose in ABOUT.items():
        say(f"{name}{' (the default)' if name == DEFAULT_MODEL else ''}: {purpose}")
    if any(each.card is not None for each in own):
        console.print(_own_table(own))
    for each in own:
        if each.fault is not None:
            say(f"damaged: {each.fault}", err=True)
    if networks is None:
        from clearzoom.extras import install_command

        say(f"to count the networks, too, install torch: {install_command('train')}", err=True)


def _table(title: str) -> Table:
    # Without lines between rows, and with numbers that may wrap, the table fits 80 columns.
    return Table(title=title, box=SIMPLE_HEAD)


def _network_table(networks: list[dict[str, Any]]) -> Table:
    table = _table(f"Networks, x4, input 3x{_INPUT_PX}x{_INPUT_PX}")
    for column in ("network", "parameters", "MACC", "FLOPs", "receptive field"):
        table.add_column(
            column,
            justify="left" if column == "network" else "right",
            no_wrap=column != "receptive field",
        )
    for row in networks:
        table.add_row(
            row["network"],
            f"{row['parameters']:,}",
            f"{row['macc']:,}",
            f"{row['flops'] / 1e9:.5f} G",
            f"{row['receptive_field_px']} LR px",
        )
    return table


def _weights_table(title: str, cards: "list[Card]") -> Table:
    table = _table(title)
    sets = list(dict.fromkeys(row.data for card in cards for row in card.scores))
    for column in ("model", "scale", "file", *sets):
        justify: JustifyMethod = "left" if column == "model" else "right"
        table.add_column(column, justify=justify, no_wrap=column not in sets)
    for card in cards:
        own = {row.data: row for row in card.scores if row.model == card.name}
        scores = [f"{own[s].psnr_db:.2f} / {own[s].ssim:.4f}" if s in own else "" for s in sets]
        size = next(file.bytes for file in card.files if file.name.endswith(".onnx"))
        table.add_row(card.name, f"x{card.scale}", f"{size / 1e6:.1f} MB", *scores)
    return table


def _own_table(own: "list[Own]") -> Table:
    from clearzoom.weights.card import AddedCard

    table = _table("Your own")
    # A name that is cut, or goes on in the next line, could not be copied.
    longest = max(len(each.card.name) for each in own if each.card is not None)
    table.add_column("model", min_width=min(longest, _NAME_WIDTH), overflow="fold")
    for column in ("scale", "file", "from", "licence"):
        table.add_column(column, justify="right" if column in ("scale", "file") else "left")
    for each in own:
        if each.card is None:
            continue
        card = each.card
        size = next(file.bytes for file in card.files if file.name.endswith(".onnx"))
        if isinstance(card, AddedCard):
            made = f"{card.source}, added"
        else:
            made = card.training.started_from or card.network
            made = made.partition(",")[0].removesuffix(".safetensors")
        table.add_row(card.name, f"x{card.scale}", f"{size / 1e6:.1f} MB", made, card.licence)
    return table


def _count_networks() -> list[dict[str, Any]] | None:
    try:
        from clearzoom.models.count import FORMULA, count
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
                "receptive_field_px": 2 * net.reach_px + 1,
                "settings": net.config.model_dump(mode="json"),
            }
        )
    return rows
