"""``clearzoom config``: show and change the user's default options."""

import json
import re
import tomllib
from typing import Annotated, Any

import typer

from clearzoom.cli import completion
from clearzoom.cli.console import say
from clearzoom.cli.defaults import (
    checked,
    key_of,
    read_file,
    request_of,
    schema,
    user_defaults,
)
from clearzoom.cli.plain_help import PlainCommand, PlainGroup
from clearzoom.errors import ConfigError, ModelError, OutputError
from clearzoom.io.user_folders import config_file

config = typer.Typer(cls=PlainGroup, invoke_without_command=True, rich_markup_mode=None)


def _keys(incomplete: str) -> list[str]:
    return completion.words(*schema().model_fields)(incomplete)


_KEY = typer.Argument(
    metavar="KEY", help="An option of enlarge, like model or long-edge.", autocompletion=_keys
)
KeyArgument = Annotated[str, _KEY]
_DASHED = {"ignore_unknown_options": True}
"""Keys may be written as options, like --model."""


@config.callback()
def root(context: typer.Context) -> None:
    """Show your default options for enlarge, plan, batch and watch; set and unset them.

    Options on the command line win over defaults. Python calls and the server do not read them.
    """
    if context.invoked_subcommand is None:
        file = config_file()
        say(file if file.exists() else f"{file} (not there yet)")
        for key, value in _stored().items():
            say(f"{key} = {_toml(value)}")
        user_defaults()  # what is wrong with them


@config.command(cls=PlainCommand, context_settings=_DASHED)
def get(key: KeyArgument) -> None:
    """Print one default; without one, the command's own."""
    name = key_of(key)
    values = user_defaults()
    value = values[name] if name in values else schema().model_fields[name].get_default()
    say("" if value is None else value if isinstance(value, str) else _toml(value))


@config.command("set", cls=PlainCommand, context_settings=_DASHED)
def set_(
    key: KeyArgument,
    value: Annotated[str | None, typer.Argument(metavar="VALUE", help="Its value.")] = None,
) -> None:
    """Set a default, like 'clearzoom config set model fast'."""
    from clearzoom.pipeline.networks import check_networks, scales_for

    if not value:  # model=fast, as a file of TOML has it
        key, _, value = (part.strip() for part in key.partition("="))
    name = key_of(key)
    if not value:
        raise typer.BadParameter(f"give a value, too: clearzoom config set {name} VALUE")
    plain = checked(user_defaults() | {name: value}, f"cannot set {name}", name)
    if name == "model":
        scales_for(value)
    if name in {"model", "strength", "denoise"}:
        try:
            check_networks(request_of(plain).settings())
        except ModelError as error:
            key = error.setting or ""
            removal = f"; or clearzoom config unset {key}" if key != name and key in plain else ""
            words = error.worded(lambda setting: setting)
            raise ConfigError(f"cannot set {name}: {words}{removal}") from error
    _write({name: plain[name]}, plain)


@config.command(cls=PlainCommand, context_settings=_DASHED)
def unset(keys: Annotated[list[str], _KEY]) -> None:
    """Remove defaults, so that the command's own count again."""
    before = _stored()
    names = [key if key in before else key_of(key) for key in keys]
    for name in names:
        if name not in before:
            raise ConfigError(f"{name} is not set in {config_file()}")
    values = {key: value for key, value in before.items() if key not in names}
    try:
        checked(values, f"cannot unset {' '.join(names)} alone")
    except ConfigError:
        if _is_sound(before):  # what was damaged before is mended key by key
            raise
    _write(dict.fromkeys(names), values)


def _stored() -> dict[str, Any]:
    """Read the file as it is, with unknown keys and wrong values."""
    from clearzoom.io.documents import read_toml

    return read_toml(config_file(), ConfigError) if config_file().exists() else {}


def _is_sound(values: dict[str, Any]) -> bool:
    try:
        checked(values, "")
    except ConfigError:
        return False
    return True


def _write(changes: dict[str, Any], expected: dict[str, Any]) -> None:
    """Change lines of the file; comments and the other lines stay.

    Args:
        changes: the values by key; None removes the line.
        expected: all that the file shall hold.
    """
    from clearzoom.io.atomic import whole_file

    file = config_file()
    lines = read_file(file).splitlines()
    for key, value in changes.items():
        line = [] if value is None else [f"{key} = {_toml(value)}"]
        pattern = rf"\s*{re.escape(key)}\s*="
        at = [index for index, each in enumerate(lines) if re.match(pattern, each)]
        if at:
            lines[at[0] : at[0] + 1] = line
        else:
            lines += line
    text = "".join(f"{each}\n" for each in lines)
    if _read(text) != expected:  # such as a quoted key, or a value of several lines
        raise ConfigError(f"cannot change {' '.join(changes)} in {file} alone; edit the file")
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
