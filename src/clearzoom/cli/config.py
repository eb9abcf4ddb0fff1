"""``clearzoom config``: show and change the user's default options."""

import json
import re
import tomllib
from typing import Annotated, Any

import typer

from clearzoom.cli import completion
from clearzoom.cli.console import say
from clearzoom.cli.defaults import checked, key_of, read_file, schema, user_defaults
from clearzoom.cli.plain_help import PlainCommand, PlainGroup
from clearzoom.errors import ConfigError, OutputError
from clearzoom.io.user_folders import config_file

config = typer.Typer(cls=PlainGroup, invoke_without_command=True, rich_markup_mode=None)


def _keys(incomplete: str) -> list[str]:
    return completion.words(*schema().model_fields)(incomplete)


KeyArgument = Annotated[
    str,
    typer.Argument(help="An option of enlarge, like model or long-edge.", autocompletion=_keys),
]


@config.callback()
def root(context: typer.Context) -> None:
    """Show your default options for enlarge, plan and batch; set and unset them.

    Options on the command line win over defaults. Python calls and the server do not read them.
    """
    if context.invoked_subcommand is None:
        file = config_file()
        values = user_defaults()
        say(file if file.exists() else f"{file} (not there yet)")
        for key, value in values.items():
            say(f"{key} = {_toml(value)}")


@config.command(cls=PlainCommand)
def get(key: KeyArgument) -> None:
    """Print one default; without one, the command's own."""
    name = key_of(key)
    values = user_defaults()
    value = values[name] if name in values else schema().model_fields[name].get_default()
    say("" if value is None else value if isinstance(value, str) else _toml(value))


@config.command("set", cls=PlainCommand)
def set_(key: KeyArgument, value: Annotated[str, typer.Argument(help="Its value.")]) -> None:
    """Set a default, like 'clearzoom config set model fast'."""
    from clearzoom.pipeline.networks import scales_for

    name = key_of(key)
    before = user_defaults()
    plain = checked(before | {name: value}, f"cannot set {name}")
    if name == "model":
        scales_for(value)
    _write(name, plain[name], plain)


@config.command(cls=PlainCommand)
def unset(key: KeyArgument) -> None:
    """Remove a default, so that the command's own counts again."""
    from clearzoom.io.documents import read_toml

    # Of a file with an unknown key, this removes it.
    values = read_toml(config_file(), ConfigError) if config_file().exists() else {}
    name = key if key in values else key_of(key)
    if name not in values:
        raise ConfigError(f"{name} is not set in {config_file()}")
    del values[name]
    _write(name, None, values)


def _write(key: str, value: Any, expected: dict[str, Any]) -> None:
    """Change one line of the file; comments and the other lines stay.

    Args:
        key: the key of the line.
        value: its value; None removes the line.
        expected: all that the file shall hold.
    """
    from clearzoom.io.atomic import whole_file

    file = config_file()
    lines = read_file(file).splitlines()
    line = [] if value is None else [f"{key} = {_toml(value)}"]
    at = [index for index, each in enumerate(lines) if re.match(rf"\s*{re.escape(key)}\s*=", each)]
    if at:
        lines[at[0] : at[0] + 1] = line
    else:
        lines += line
    text = "".join(f"{each}\n" for each in lines)
    if _read(text) != expected:  # such as a quoted key, or a value of several lines
        raise ConfigError(f"cannot change {key} in {file} alone; edit the file")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"cannot make the folder {file.parent}: {error.strerror}") from error
    with whole_file(file) as temporary:
        temporary.write_text(text, "utf-8")


def _read(text: str) -> dict[str, Any] | None:
    try:
        return tomllib.loads(text)
    except ValueError:
        return None


def _toml(value: Any) -> str:
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return json.dumps(value, ensure_ascii=False)
