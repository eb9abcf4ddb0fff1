"""Write docs/cli.md from the command itself: python docs/make_cli.py."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import typer
from pydantic import BaseModel

from clearzoom.cli.json_report import PictureReport, RunReport
from clearzoom.cli.main import app
from clearzoom.cli.plain_help import grouped_rows

TARGET = Path(__file__).with_name("cli.md")

HEAD = """# The command

Made by `python docs/make_cli.py` from the command itself; a test fails when it is stale.
`clearzoom --help` and `clearzoom COMMAND --help` print the same.

A command ends with status 0, or prints one line on standard error, `error[CODE]: ...`, and ends
with [the status of the error](errors.md). Wrong options end with 2. `-h` is short for `--help`.
`clearzoom --install-completion` makes the shell complete commands, options and names of models.
"""

JSON_HEAD = """## What --json prints

`enlarge`, `plan` and `batch` print one object on standard output. A field without a value is left
out. If an error ends the command, it is on standard error as always, and the exit status tells it.
"""


def page() -> str:
    """Give the page."""
    command = typer.main.get_command(app)
    context = command.make_context("clearzoom", ["models"], resilient_parsing=True)
    lines = [HEAD, *_entries(command, context, "clearzoom", top=True), JSON_HEAD]
    for title, model in (("The object", RunReport), ("Each of `pictures`", PictureReport)):
        lines += [f"| {title} | | |", "| --- | --- | --- |", *_fields(model), ""]
    return "\n".join(lines).rstrip() + "\n"


def _fields(model: type[BaseModel]) -> Iterator[str]:
    for name, field in model.model_json_schema()["properties"].items():
        yield f"| `{name}` | {_type(field)} | {field['description']} |"


def _type(field: dict[str, Any]) -> str:
    kinds = [_type(each) for each in field.get("anyOf", [])]
    if kinds:
        return " or ".join(kind for kind in kinds if kind != "null")
    if field.get("type") == "array":
        return f"list of {_type(field['items'])}"
    if "enum" in field or "$ref" in field:
        words = field.get("enum", ["object"])
        return ", ".join(f"`{word}`" for word in words) if len(words) > 1 else "object"
    if isinstance(field.get("additionalProperties"), dict):
        return f"object of {_type(field['additionalProperties'])}"
    return str(field.get("type", "object"))


def _entries(command: Any, context: Any, name: str, *, top: bool = False) -> Iterator[str]:
    below = getattr(command, "commands", {})
    if not top:
        yield from (f"## {name}", "", f"{_prose(command.help)}", "")
    if not below:
        usage = " ".join([name, *command.collect_usage_pieces(context)])
        yield from ("```text", usage.replace("{", "").replace("}", ""), "```", "")
    for heading, records in grouped_rows(command, context).items():
        rows = [f"| `{_line(names)}` | {_cell(words)} |" for names, words in records]
        rows = [row for row in rows if not row.startswith("| `-h,")]
        if rows:
            yield from (f"| {heading} | |", "| --- | --- |", *rows, "")
    for each in (one for one in below.values() if not one.hidden):
        yield from _entries(each, context, f"{name} {each.name}")


def _prose(text: str | None) -> str:
    return "\n\n".join(" ".join(part.split()) for part in (text or "").split("\n\n"))


def _line(text: str) -> str:
    return " ".join(text.split()).replace("|", "/")


def _cell(text: str) -> str:
    # A bracket would begin a link.
    return _line(text).replace("[", "\\[")


if __name__ == "__main__":
    TARGET.write_text(page(), "utf-8")
