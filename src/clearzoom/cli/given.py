"""Understand what was given to the command; what was wrong is shown, never obeyed."""

import io
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
    _refuse_empty(command)
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


def _refuse_empty(command: Any) -> None:
    """Have all options and arguments refuse "": a variable of a script that was never set.

    Taken for a path it would be the folder in which the command runs, and as a text it would count
    as not given.
    """
    for parameter in command.params:
        parameter.process_value = partial(_never_empty, parameter, parameter.process_value)
    for below in getattr(command, "commands", {}).values():
        _refuse_empty(below)


def _never_empty(parameter: Any, process: Any, context: Any, value: Any) -> Any:
    if value == "":
        raise typer.BadParameter(
            "it is empty; give a value, or leave it out", ctx=context, param=parameter
        )
    return process(context, value)
