"""The command ``clearzoom``: its subcommands, its errors and exit statuses."""

import sys
import traceback
from typing import Annotated

import typer

from clearzoom.cli.arguments import parse
from clearzoom.cli.batch import batch
from clearzoom.cli.console import say
from clearzoom.cli.doctor import doctor
from clearzoom.cli.enlarge import enlarge
from clearzoom.cli.evaluate import evaluate
from clearzoom.cli.explain import explain
from clearzoom.cli.export import export
from clearzoom.cli.models import models
from clearzoom.cli.plan import plan
from clearzoom.cli.serve import serve
from clearzoom.cli.streams import printing
from clearzoom.cli.train import train
from clearzoom.cli.tune import tune
from clearzoom.cli.watch import watch
from clearzoom.cli.weights import weights
from clearzoom.errors import ClearzoomError, MissingExtraError
from clearzoom.pipeline.request import option_of
from clearzoom.version import __version__

_TRAINING_PARTS = {"torch", "lightning", "safetensors", "onnx", "onnxscript", "tensorboard"}

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # it would take "[train]" for markup
)
commands = (enlarge, plan, batch, watch, serve, evaluate, train, tune, export, explain, doctor)
for command in commands:
    app.command()(command)
app.add_typer(models, name="models")
app.add_typer(weights, name="weights")


def _version(value: bool) -> None:
    if value:
        say(f"clearzoom {__version__}")
        raise typer.Exit


@app.callback()
def root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Enlarge pictures, and train and measure the networks that do it."""


def main() -> None:
    """Run the command; an expected error prints one line and sets the exit status."""
    with printing():
        status = _status()
    raise SystemExit(status)


def _status() -> int:
    try:
        try:
            status = parse(app)
            sys.stdout.flush()
        except ModuleNotFoundError as error:
            if error.name is None or error.name.split(".")[0] not in _TRAINING_PARTS:
                raise
            raise MissingExtraError("this command", "train") from error
    except ClearzoomError as error:
        say(f"error[{error.code}]: {error.worded(option_of)}", err=True)
        return error.exit_status
    except Exception:  # a fault of this program; it may name a file
        for line in traceback.format_exc().splitlines():
            say(line, err=True)
        return 1
    return status
