"""Parse the command's arguments; wrong ones are printed so that no terminal obeys them."""

import io
import math
from functools import partial
from typing import Any

import typer

from clearzoom.cli.console import say
from clearzoom.cli.other_words import number_fault, option_hint
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
        _add_hint(error)
        words = printable(error.format_message())
        error.format_message = lambda: words
        text = io.StringIO()
        error.show(file=text)
        for line in text.getvalue().splitlines():
            say(line, err=True)
        return int(error.exit_code)


def _add_hint(error: Any) -> None:
    """Say of an unknown option of another program what says the same here."""
    name = getattr(error, "option_name", None)
    if not isinstance(name, str) or not hasattr(error, "possibilities") or error.cmd is None:
        return
    options = {option for parameter in error.cmd.params for option in parameter.opts}
    if hint := option_hint(name, options):
        error.message += hint
        error.possibilities = None


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
    number = _number(value)
    if number is not None and least is not None and most is not None:
        fault = "" if math.isfinite(number) else "no finite number"
        fault = fault or ("below" if number < least else "above" if number > most else "")
        if fault:
            words = fault if fault.startswith("no") else f"{fault} what is possible"
            raise typer.BadParameter(
                f"{value} is {words}; give one from {least:g} to {most:g}",
                ctx=context,
                param=parameter,
            )
    try:
        return process(context, value)
    except typer.BadParameter as error:
        if isinstance(value, str) and "valid" in error.message:
            for kind_of, whole in (("number", False), ("integer", True)):
                if f"valid {kind_of}" in error.message:
                    error.message = number_fault(value, whole=whole)
        described = getattr(parameter, "type_descriptor", kind)  # as for the bounds
        choices = getattr(described, "choices", None)
        if choices and isinstance(value, str):
            fault = error.message.removeprefix("Value error, ").rstrip(".")
            error.message = fault + nearest(value, map(str, choices))
        raise


def _number(value: Any) -> float | None:
    try:
        return float(value) if isinstance(value, str) else None
    except ValueError:  # typer itself refuses what is no number at all
        return None
