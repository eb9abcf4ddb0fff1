"""Write docs/cli.md from the command itself: python docs/make_cli.py."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import typer

from clearzoom.cli.main import app

TARGET = Path(__file__).with_name("cli.md")

HEAD = """# The command

Made by `python docs/make_cli.py` from the command itself; a test fails when it is stale.
`clearzoom --help` and `clearzoom COMMAND --help` print the same.

A command ends with status 0, or prints one line on standard error, `error[CODE]: ...`, and ends
with [the status of the error](errors.md). Wrong options end with 2.
"""


def page() -> str:
    """Give the page."""
    command = typer.main.get_command(app)
    context = command.make_context("clearzoom", ["models"], resilient_parsing=True)
    return "\n".join([HEAD, *_entries(command, context, "clearzoom", top=True)]).rstrip() + "\n"


def _entries(command: Any, context: Any, name: str, *, top: bool = False) -> Iterator[str]:
    below = getattr(command, "commands", {})
    if not top:
        yield from (f"## {name}", "", f"{_prose(command.help)}", "")
    if not below:
        usage = " ".join([name, *command.collect_usage_pieces(context)])
        yield from ("```text", usage.replace("{", "").replace("}", ""), "```", "")
    rows = [_row(each, context) for each in command.params if each.get_help_record(context)]
    if rows:
        yield from ("| | |", "| --- | --- |", *rows, "")
    for each in below.values():
        yield from _entries(each, context, f"{name} {each.name}")


def _prose(text: str | None) -> str:
    return "\n\n".join(" ".join(part.split()) for part in (text or "").split("\n\n"))


def _row(parameter: Any, context: Any) -> str:
    names, words = parameter.get_help_record(context)
    return f"| `{_cell(names)}` | {_cell(words)} |"


def _cell(text: str) -> str:
    # A bracket would begin a link.
    return " ".join(text.split()).replace("|", "/").replace("[", "\\[")


if __name__ == "__main__":
    TARGET.write_text(page(), "utf-8")
