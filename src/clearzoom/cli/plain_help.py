"""Help as plain text: options in groups, and a whole sentence for each command.

Typer shows groups only where a text is markup, which would take "[train]" for a style.
"""

import shlex
from pathlib import Path
from typing import Any

from typer.core import TyperCommand, TyperGroup

from clearzoom.cli.console import say
from clearzoom.cli.other_words import command_hint
from clearzoom.core.terminal_text import printable

_OTHERS = "Options"


class PlainCommand(TyperCommand):
    """A command whose help shows its options in the groups that ``rich_help_panel`` names."""

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """Write the arguments and the groups of options."""
        write_groups(self, ctx, formatter)


class PlainGroup(TyperGroup):
    """A command with commands below it, which its help describes by a whole sentence each."""

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """Write the options and the commands."""
        write_groups(self, ctx, formatter)
        self.format_commands(ctx, formatter)

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """Write the first sentence of each command's help, however long it is."""
        rows = [
            (name, first_sentence(command.help or ""))
            for name, command in self.commands.items()
            if not command.hidden
        ]
        with formatter.section("Commands"):
            formatter.write_dl(rows)

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Find a command by name; where a file has that name, the error says what enlarges it."""
        try:
            return super().resolve_command(ctx, args)
        except Exception as error:
            message = getattr(error, "message", None)
            hint = command_hint(args[0], None if ctx.parent is None else ctx.info_name)
            if ctx.parent is None and Path(args[0]).exists():
                hint = f" To enlarge it: clearzoom enlarge {shlex.quote(printable(args[0]))}"
            if message is not None and hint:
                error.message = f"{message.split(' Did you mean')[0]}{hint}"  # type: ignore[attr-defined]
            raise

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Parse the arguments; without any, the help is what was asked for, and no mistake."""
        if not args and self.no_args_is_help and not ctx.resilient_parsing:
            for line in ctx.get_help().splitlines():
                say(line)
            ctx.exit()
        return super().parse_args(ctx, args)


def write_groups(command: Any, ctx: Any, formatter: Any) -> None:
    """Write the parameters of a command, a section for each group.

    Args:
        command: of Typer.
        ctx: its context.
        formatter: gets the text.
    """
    for heading, rows in grouped_rows(command, ctx).items():
        with formatter.section(heading):
            formatter.write_dl(rows)


def grouped_rows(command: Any, ctx: Any) -> dict[str, list[tuple[str, str]]]:
    """List the parameters of a command with their help by group, as its help shows them.

    Args:
        command: of Typer.
        ctx: its context.
    """
    groups: dict[str, list[tuple[str, str]]] = {}
    for parameter in command.get_params(ctx):
        record = parameter.get_help_record(ctx)
        if record is None:
            continue
        heading = getattr(parameter, "rich_help_panel", None) or _OTHERS
        if parameter.param_type_name == "argument":
            heading = "Arguments"
            record = record[0].partition(" <")[0], record[1]  # a text is what each argument is
        groups.setdefault(heading, []).append(record)
    return groups


def first_sentence(text: str) -> str:
    r"""Return the first sentence of a docstring, on one line.

    Example:
        >>> first_sentence("Print 'a. b' or\n  all. And more.\n\nDetails.")
        "Print 'a. b' or all."
    """
    words = " ".join(text.split("\n\n")[0].split())
    sentence, end, _ = words.partition(". ")
    while end and sentence.count("'") % 2:  # a full stop between quotes
        more, end, _ = words[len(sentence) + len(end) :].partition(". ")
        sentence = f"{sentence}. {more}"
    return sentence if sentence.endswith(".") else f"{sentence}."
