"""Understand what was given to the command; what was wrong is shown, never obeyed."""

import io
import math
from functools import partial
from typing import Any

import typer

from clearzoom.cli.console import say
from clearzoom.core.terminal_text import printable

# typer comes with click, or with a copy of its own, from one version to the next.
_ClickError: type[Any] = next(
    each for each in typer.BadParameter.__mro__ if each.__name__ == "ClickException"
)


def parse(app: typer.Typer) -> int:
    """Run a command from the arguments of this process.

    Args:
        app: the command.

    Returns:
        The exit status: 0, that of ``typer.Exit``, 2 where the arguments were wrong.
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
        error.format_message = lambda: words
        text = io.StringIO()
        error.show(file=text)
        for line in text.getvalue().splitlines():
            say(line, err=True)
        return int(error.exit_code)


def _check_values(command: Any) -> None:
    """Have all options and arguments refuse "", a variable of a script that was never set, and NaN.

    Taken for a path "" would be the folder in which the command runs, and as a text it would count
    as not given. What typer says of a NaN or an infinity beyond an option's bounds names one bound.
    """
    for parameter in command.params:
        parameter.process_value = partial(_checked, parameter, parameter.process_value)
    for below in getattr(command, "commands", {}).values():
        _check_values(below)


def _checked(parameter: Any, process: Any, context: Any, value: Any) -> Any:
    if value == "":
        raise typer.BadParameter(
            "it is empty; give a value, or leave it out", ctx=context, param=parameter
        )
    # Typer with a click of its own has the bounds at the parameter, else they are of its type.
    kind = getattr(parameter, "type", parameter)
    least, most = getattr(kind, "min", None), getattr(kind, "max", None)
    if least is not None and most is not None and _is_not_finite(value):
        raise typer.BadParameter(
            f"{value} is no finite number; give one from {least:g} to {most:g}",
            ctx=context,
            param=parameter,
        )
    return process(context, value)


def _is_not_finite(value: Any) -> bool:
    try:
        return isinstance(value, str) and not math.isfinite(float(value))
    except ValueError:  # what is no number at all is refused by typer, in its words
        return False
