"""The user's default options: a TOML file that enlarge, plan, batch and watch read."""

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Annotated, Any, get_args, get_origin

from pydantic import BaseModel, ConfigDict, Field, ValidationError, create_model

from clearzoom.cli.other_words import number_fault
from clearzoom.cli.plain_help import PlainCommand
from clearzoom.engines import Device, Engine, Precision
from clearzoom.errors import ClearzoomError, ConfigError, nearest, worded
from clearzoom.io.formats import SUFFIXES, ResultFormat
from clearzoom.io.user_folders import config_file
from clearzoom.pipeline.fields import WIDEST_HALO_PX
from clearzoom.pipeline.request import EnlargeRequest, option_of

_SIZES = {"scale", "width", "height", "long_edge", "megapixels", "print_size"}
_OLD = {"back_projection"}
_OF_NETWORKS = {
    *("model", "engine", "device", "precision", "strength", "ensemble", "consistency", "denoise"),
    *("halo", "back_projection"),
}
_PARAMETERS = {"print": "print_size", "format": "result_format"}
"""Parameters of the command that are not called like their option."""

PUT_ASIDE = (
    (_SIZES, _SIZES | {"fill", "bleed"}),
    ({"consistency", "back_projection"}, {"consistency", "back_projection"}),
    ({"pixel_art"}, _OF_NETWORKS),
    (_OF_NETWORKS, {"pixel_art"}),
)
"""Any of the first options on the command line puts the defaults of all the second ones aside."""

_OTHERS: dict[str, Any] = {
    "format": (ResultFormat | None, None),
    "engine": (Engine, "auto"),
    "device": (Device, "auto"),
    "precision": (Precision, "fp32"),
    "halo": (Annotated[int, Field(ge=0, le=WIDEST_HALO_PX)] | None, None),
    "memory": (str | None, None),
    "max_pixels": (Annotated[int, Field(ge=1)], 1_000_000_000),
    "recursive": (bool, False),
}
"""Options that are no part of an ``EnlargeRequest``."""


@cache
def schema() -> type[BaseModel]:
    """Return the schema of the file; its keys are the options, with ``_`` for ``-``."""
    fields: dict[str, Any] = {
        _key(name): (field.annotation, field)
        for name, field in EnlargeRequest.model_fields.items()
        if name not in _OLD
    }
    return create_model("Defaults", __config__=ConfigDict(extra="forbid"), **fields, **_OTHERS)


def _key(name: str) -> str:
    """Return the key of a field of ``EnlargeRequest``: what its option is called."""
    return option_of(name).removeprefix("--").replace("-", "_")


def key_of(text: str) -> str:
    """Return a key as the file spells it.

    Args:
        text: as a person writes it: ``long_edge``, ``long-edge`` or ``--long-edge``.

    Raises:
        ConfigError: there is no such key; the message names the nearest.

    Example:
        >>> key_of("--long-edge")
        'long_edge'
    """
    key = text.removeprefix("--").replace("-", "_")
    keys = list(schema().model_fields)
    if key not in keys:
        raise ConfigError(f"there is no default {text!r}{nearest(key, keys)}")
    return key


def checked(values: Mapping[str, Any], where: str, key: str | None = None) -> dict[str, Any]:
    """Check defaults as a whole.

    Args:
        values: by key; texts are converted to what the key holds.
        where: names their place in messages.
        key: the one that is being set; to remove another is the remedy for a contradiction.

    Returns:
        The values as a TOML file holds them.

    Raises:
        ConfigError: a key or a value is wrong, or two contradict each other.
    """
    try:
        read = schema().model_validate(values)
    except ValidationError as error:
        wrong = str(error.errors()[0]["loc"][0])
        raise ConfigError(f"{where}: {_fault(error)}{_removal(wrong, values, key)}") from error
    plain = {key: getattr(read, key) for key in values}
    try:
        request_of(plain).settings()
        if plain.get("memory"):
            from clearzoom.pipeline.settings import parse_bytes

            parse_bytes(plain["memory"], "memory_bytes")
    except ClearzoomError as error:
        wrong = _as_key(error.setting) if error.setting else ""
        removal = _removal(wrong, values, key)
        raise ConfigError(f"{where}: {error.worded(_as_key)}{removal}") from error
    return plain


def request_of(plain: Mapping[str, Any]) -> EnlargeRequest:
    """Make the request that defaults state.

    Args:
        plain: as ``checked`` returns them.
    """
    names = EnlargeRequest.model_fields
    return EnlargeRequest(**{name: plain[_key(name)] for name in names if _key(name) in plain})


def _removal(wrong: str, values: Mapping[str, Any], key: str | None) -> str:
    """Name the command that removes a wrong key, as the end of a message."""
    if wrong == key or wrong not in values:
        return ""
    return f"; to remove that default: clearzoom config unset {wrong}"


def _as_key(setting: str) -> str:
    return _key(setting)


def _fault(error: ValidationError) -> str:
    first = error.errors()[0]
    key = str(first["loc"][0])
    if first["type"] == "extra_forbidden":
        return f"there is no key {key!r}{nearest(key, schema().model_fields)}"
    if first["type"] in ("float_parsing", "int_parsing"):
        return f"{key}: {number_fault(str(first['input']), whole=first['type'] == 'int_parsing')}"
    own = first.get("ctx", {}).get("error")
    message = worded(str(own or first["msg"]), _as_key)
    near = nearest(str(first["input"]), _choices(schema().model_fields[key].annotation))
    return f"{key}: {message}{near}"


def _choices(annotation: Any) -> list[str]:
    """List the words of all Literals in an annotation."""
    if not get_args(annotation):
        return []
    if str(get_origin(annotation)) == "typing.Literal":
        return [str(each) for each in get_args(annotation)]
    return [word for part in get_args(annotation) for word in _choices(part)]


def user_defaults() -> dict[str, Any]:
    """Read the defaults of the user; there are none without the file.

    Raises:
        ConfigError: the file cannot be read, or has an unknown key or a wrong value.
    """
    from clearzoom.io.documents import read_toml

    file = config_file()
    if not file.exists():
        return {}
    return checked(read_toml(file, ConfigError), str(file))


class DefaultedCommand(PlainCommand):
    """A command whose options have the defaults of the user."""

    def make_context(
        self, info_name: str | None, args: list[str], parent: Any = None, **extra: Any
    ) -> Any:
        """Parse the arguments; the help works with a damaged file, too."""
        asks_help = parent is not None and set(args) & set(parent.help_option_names)
        if not asks_help and not extra.get("resilient_parsing"):
            names = {parameter.name for parameter in self.params}
            defaults = {_PARAMETERS.get(key, key): value for key, value in user_defaults().items()}
            extra["default_map"] = {
                name: value if isinstance(value, bool) else str(value)
                for name, value in defaults.items()
                if name in names
            }
        return super().make_context(info_name, args, parent, **extra)


def chosen(context: Any) -> dict[str, Any]:
    """Return the options of a command, of which those on the command line win.

    A default that contradicts the command line is put aside: a size of any kind for another size,
    the options of networks for pixel art, the strength and the level of denoising for another
    model than that which they were chosen for, and the format for a result that is named.

    Args:
        context: of a ``DefaultedCommand``.
    """
    values = dict(context.params)
    sources = {name: context.get_parameter_source(name).name for name in values}
    given = {name for name, source in sources.items() if source == "COMMANDLINE"}
    aside: set[str] = set().union(*(others for names, others in PUT_ASIDE if names & given))
    own = (context.default_map or {}).get("model", EnlargeRequest().model)
    if "model" in given and values["model"] != own:
        aside |= {"strength", "denoise"}
    if "output" in given and Path(str(values["output"])).suffix.lower() in SUFFIXES:
        aside.add("result_format")
    for parameter in context.command.params:
        if parameter.name in aside and sources[parameter.name] == "DEFAULT_MAP":
            values[parameter.name] = parameter.default
    return values


def read_file(file: Path) -> str:
    """Return the text of the file of defaults; it is empty where there is none.

    Args:
        file: its path.

    Raises:
        ConfigError: it cannot be read.
    """
    try:
        return file.read_text("utf-8-sig")
    except FileNotFoundError:
        return ""
    except (OSError, ValueError) as error:
        raise ConfigError(f"{file} cannot be read: {error}") from error
