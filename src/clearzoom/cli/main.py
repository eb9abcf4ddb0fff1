"""The command ``clearzoom``: its subcommands, its errors and exit statuses."""

import sys
import traceback
from typing import Annotated

import typer

from clearzoom.cli.arguments import parse
from clearzoom.cli.batch import batch
from clearzoom.cli.config import config
from clearzoom.cli.console import say
from clearzoom.cli.defaults import DefaultedCommand
from clearzoom.cli.doctor import doctor
from clearzoom.cli.enlarge import enlarge
from clearzoom.cli.evaluate import evaluate
from clearzoom.cli.explain import explain
from clearzoom.cli.export import export
from clearzoom.cli.models import models
from clearzoom.cli.plain_help import PlainCommand, PlainGroup
from clearzoom.cli.plan import plan
from clearzoom.cli.serve import serve
from clearzoom.cli.streams import printing
from clearzoom.cli.train import train
from clearzoom.cli.tune import tune
from clearzoom.cli.watch import watch
from clearzoom.cli.weights import weights
from clearzoom.errors import ClearzoomError, MissingExtraError, TrainingError
from clearzoom.pipeline.request import option_of
from clearzoom.version import __version__

_TRAINING_PARTS = {"torch", "lightning", "safetensors", "onnx", "onnxscript", "tensorboard"}

_TORCHVISION = (
    "torchvision does not load beside this torch, and Lightning loads it; nothing here needs it: "
    "pip uninstall torchvision; or install torch and torchvision from the same index"
)

app = typer.Typer(
    cls=PlainGroup,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # it would take "[train]" for markup
    context_settings={"help_option_names": ["-h", "--help"]},
)
for command in (enlarge, plan, batch, watch):
    app.command(cls=DefaultedCommand)(command)
for other in (serve, evaluate, train, tune, export, explain, doctor):
    app.command(cls=PlainCommand)(other)
app.add_typer(config, name="config")
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


def _came_from(package: str, error: BaseException) -> bool:
    """Tell whether an error was raised while code of a package ran."""
    frames = (frame for frame, _ in traceback.walk_tb(error.__traceback__))
    return any(frame.f_globals.get("__name__", "").split(".")[0] == package for frame in frames)


def _status() -> int:
    try:
        try:
            status = parse(app)
            sys.stdout.flush()
        except ModuleNotFoundError as error:
            if error.name is None or error.name.split(".")[0] not in _TRAINING_PARTS:
                raise
            raise MissingExtraError("this command", "train") from error
        except Exception as error:
            if not _came_from("torchvision", error):
                raise
            raise TrainingError(_TORCHVISION) from error
    except ClearzoomError as error:
        say(f"error[{error.code}]: {error.worded(option_of)}", err=True)
        return error.exit_status
    except Exception:  # a fault of this program; it may name a file
        for line in traceback.format_exc().splitlines():
            say(line, err=True)
        return 1
    return status
