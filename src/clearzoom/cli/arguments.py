"""Parse the command's arguments; wrong ones are printed so that no terminal obeys them."""

import io
import math
from functools import partial
from typing import Any

import typer

from clearzoom.cli.console import say
from clearzoom.core.terminal_text import printable
from clearzoom.errors import nearest

# Some versions of typer use click, others their own copy of it.
_ClickError: type[Any] = next(
    each for each in typer.BadParameter.__mro__ if each.__name__ == "ClickException"
)


def parse(app: typer.Typer) -> int:
    """Run a command from the arguments of this process.

    Args:
        app: the command with its subcommands.

    Returns:
        The exit status: 0, that of ``typer.Exit``, or 2 if the arguments were wrong.
    """
    command: Any = typer.main.get_command(app)
    _check_values(command)
    try:
        return command(standalone_mode=False) or 0
    except typer.Abort:
        say("Aborted!", err=True)
        return 1
    except _ClickError as error:
        words = printable(error.format_message())
        if getattr(error, "option_name", "") == "--dry-run":
            words += "; 'clearzoom plan' with the same options shows what would be done"
        error.format_message = lambda: words
        text = io.StringIO()
        error.show(file=text)
        for line in text.getvalue().splitlines():
            say(line, err=True)
        return int(error.exit_code)


def _check_values(command: Any) -> None:
    """Make all options and arguments refuse an empty text, and numbers that are not finite.

    An empty text often comes from a script's variable that was never set. As a path it would mean
    the current folder, and as a text it would count as absent. For a NaN or an infinity typer's own
    message names only one of the two bounds.
    """
    for parameter in command.params:
        parameter.process_value = partial(_checked, parameter, parameter.process_value)
    for below in getattr(command, "commands", {}).values():
        _check_values(below)


def _checked(parameter: Any, process: Any, context: Any, value: Any) -> Any:
    if value == "" or (isinstance(value, list | tuple) and "" in value):
        raise typer.BadParameter(
            "the value is empty; give one, or leave the option out", ctx=context, param=parameter
        )
    # A typer with its own copy of click keeps the bounds at the parameter, else its type has them.
    kind = getattr(parameter, "type", parameter)
    least, most = getattr(kind, "min", None), getattr(kind, "max", None)
    if least is not None and most is not None and _is_not_finite(value):
        raise typer.BadParameter(
            f"{value} is no finite number; give one from {least:g} to {most:g}",
            ctx=context,
            param=parameter,
        )
    try:
        return process(context, value)
    except typer.BadParameter as error:
        described = getattr(parameter, "type_descriptor", kind)  # as for the bounds
        choices = getattr(described, "choices", None)
        if choices and isinstance(value, str):
            fault = error.message.removeprefix("Value error, ").rstrip(".")
            error.message = fault + nearest(value, map(str, choices))
        raise


def _is_not_finite(value: Any) -> bool:
    try:
        return isinstance(value, str) and not math.isfinite(float(value))
    except ValueError:  # typer itself refuses what is no number at all
        return False
