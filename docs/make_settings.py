"""Write docs/settings.md from the code: python docs/make_settings.py."""

import ast
import inspect
import types
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from clearzoom.cli.defaults import schema
from clearzoom.models.registry import NETWORKS
from clearzoom.server.gallery.owner_file import FolderMarks
from clearzoom.server.gallery.watermark import Watermark
from clearzoom.train.config import Term, TrainConfig

TARGET = Path(__file__).with_name("settings.md")

VARIABLES = {
    "CLEARZOOM_CACHE": "Cache folder, for fetched weights and the server's tiles. The default is "
    "in the platform's folder for caches: on Linux `clearzoom` in `$XDG_CACHE_HOME`, else in "
    "`~/.cache`.",
    "CLEARZOOM_PROGRESS_SECONDS": "Seconds between progress lines where standard error is no "
    "terminal; 30 by default, and 0 prints a line for each part.",
    "CLEARZOOM_DATA": "Data folder, for your own models. The default is in the platform's folder "
    "for data.",
    "CLEARZOOM_CONFIG": "File of your default options. The default is `config.toml` in the "
    "platform's folder for configurations: on Linux `clearzoom` in `$XDG_CONFIG_HOME`, else in "
    "`~/.config`.",
    "TMPDIR": "Folder for temporary files, such as large pictures that cannot be read by rows.",
    "OMP_NUM_THREADS": "Threads of onnxruntime and OpenVINO; all cores by default.",
    "OMP_WAIT_POLICY": "How training threads wait for each other; `passive` by default, so that "
    "they sleep and leave the cores to other programs.",
    "ORT_DISABLE_TELEMETRY": "Turns off onnxruntime's reports; `1` by default, so that "
    "[nothing is sent](../SECURITY.md#nothing-is-sent).",
    "RAY_USAGE_STATS_ENABLED": "Turns on Ray's usage reports; `0` by default.",
    "MPLCONFIGDIR": "Folder of matplotlib's list of fonts; `matplotlib` in the cache folder by "
    "default.",
    "RAY_ADDRESS": "Address of the cluster for `--on ray`, like `--address`.",
}
"""The variables that a user may set."""

_LONGEST = 10**9
"""Whole numbers below this are written out."""

INTERNAL = {
    "CLEARZOOM_SERVE",
    "PROMETHEUS_MULTIPROC_DIR",
    "LOCAL_RANK",
    "LOCAL_WORLD_SIZE",
    "RAY_BACKEND_LOG_LEVEL",
    "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER",
    "SLURM_LOCALID",
    "WORLD_SIZE",
}
"""Variables that the server, torchrun, SLURM and Ray set for their own processes."""

HEAD = """# Settings

Made by `python docs/make_settings.py` from the code; a test fails when it is stale. Options of the
commands are in [the command](cli.md), fields of requests in [the API](api.md).

An unknown key or a wrong value is [an error](errors.md), `config`; the message names the nearest
right key.

## Environment variables

| variable | |
| --- | --- |
"""

DEFAULTS = """
## Your default options

The TOML file that `clearzoom config` shows and changes, and that `enlarge`, `plan` and `batch`
read; [enlarging](enlarging.md#your-defaults) says how. Each key is the option of the same name,
with `_` for `-`, and [the command](cli.md#clearzoom-enlarge) describes it.

| key | value | without it |
| --- | --- | --- |
"""

TRAINING = """
## The training configuration

The TOML file of `clearzoom train`; [training](training.md) says how to use it,
and
[`configs/`](../configs) has the files of the released weights.
"""

MARKS = """
## clearzoom.toml

Beside the pictures that `clearzoom serve` shows; [an example](serving.md).
What is left out is as further up.
"""


def page() -> str:
    """Give the page."""
    rows = [f"| `{name}` | {text} |" for name, text in VARIABLES.items()]
    keys = [
        f"| `{name}` | {_type(field)} | {_default(field)} |"
        for name, field in schema().model_fields.items()
    ]
    parts = [HEAD + "\n".join(rows), DEFAULTS + "\n".join(keys), TRAINING]
    for name, field in TrainConfig.model_fields.items():
        if name == "losses":
            parts += _losses()
            continue
        (model,) = [each for each in _parts(field.annotation) if _is_model(each)]
        parts += [f"### [{name}]\n", f"{_prose(model)}\n", _table(model) + "\n"]
    names = ", ".join(f"`{name}`" for name in NETWORKS)
    parts += [
        "### network.settings\n",
        f"`network.name` is one of {names}. Their switches, with the values unless set:\n",
        _switches() + "\n",
    ]
    parts += [MARKS.lstrip(), _table(FolderMarks) + "\n"]
    parts += ["### [watermark]\n", f"{_prose(Watermark)}\n", _table(Watermark)]
    return "\n".join(parts) + "\n"


def _losses() -> Iterator[str]:
    yield "### [[losses]]\n"
    yield "Each is a `kind` and a `weight` (1.0); their weighted sum is made small. None: l1.\n"
    yield "| kind | own keys | |\n| --- | --- | --- |"
    for model in _parts(get_args(Term)[0]):
        kinds = ", ".join(f"`{kind}`" for kind in get_args(model.model_fields["kind"].annotation))
        own = {
            name: field
            for name, field in model.model_fields.items()
            if name not in ("kind", "weight")
        }
        keys = "; ".join(f"`{name}`: {_type(each)}" for name, each in own.items())
        yield f"| {kinds} | {keys} | {_prose(model)} |"
    yield ""


def _switches() -> str:
    names = {key: None for _, config in NETWORKS.values() for key in config.model_dump()}
    rows = [f"| | {' | '.join(NETWORKS)} |", f"| --- {'| --- ' * len(NETWORKS)}|"]
    for key in names:
        if key == "scale":
            continue
        cells = [_value(config.model_dump().get(key, "")) for _, config in NETWORKS.values()]
        rows.append(f"| `{key}` | {' | '.join(cells)} |")
    return "\n".join(rows)


def _table(model: type[BaseModel]) -> str:
    described = _described(model)
    rows = ["| key | value | default | |", "| --- | --- | --- | --- |"]
    for name, field in model.model_fields.items():
        assert name in described, f"{model.__name__}.{name} needs a docstring that says what it is"
        text = " ".join(described[name].split())
        rows.append(f"| `{name}` | {_type(field)} | {_default(field)} | {text} |")
    return "\n".join(rows)


def _described(model: type[BaseModel]) -> dict[str, str]:
    """Give the docstring below each field, also those of the classes that it is made from."""
    found: dict[str, str] = {}
    for kind in reversed(model.__mro__):
        if kind is BaseModel or not issubclass(kind, BaseModel):
            continue
        body = ast.parse(inspect.cleandoc("\n" + inspect.getsource(kind))).body[0]
        assert isinstance(body, ast.ClassDef)
        for field, text in zip(body.body, body.body[1:], strict=False):
            if isinstance(field, ast.AnnAssign) and isinstance(text, ast.Expr):
                assert isinstance(field.target, ast.Name)
                assert isinstance(text.value, ast.Constant)
                found[field.target.id] = str(text.value.value)
    return found


def _prose(model: type[BaseModel]) -> str:
    return " ".join((inspect.getdoc(model) or "").split()).replace("``", "`")


def _parts(annotation: Any) -> list[Any]:
    if get_origin(annotation) is Annotated:
        return _parts(get_args(annotation)[0])
    if get_origin(annotation) in (types.UnionType, Union):
        return [part for each in get_args(annotation) for part in _parts(each)]
    return [annotation]


def _is_model(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, BaseModel)


def _type(field: FieldInfo) -> str:
    words = " or ".join(_word(part) for part in _parts(field.annotation) if part is not type(None))
    bounds = []
    for each in field.metadata:
        for sign, name in ((">", "gt"), ("≥", "ge"), ("<", "lt"), ("≤", "le")):
            if hasattr(each, name):
                bound = getattr(each, name)
                is_short = 0 <= bound < _LONGEST and float(bound).is_integer()
                bounds.append(f"{sign} {bound:{',' if is_short else 'g'}}")
    return ", ".join([words, *bounds])


def _word(kind: Any) -> str:
    if get_origin(kind) is Literal:
        return ", ".join(_value(value) for value in get_args(kind))
    if get_origin(kind) in (tuple, list):
        inner = [each for each in get_args(kind) if each is not Ellipsis]
        words = dict.fromkeys(_word(part) for each in inner for part in _parts(each))
        return f"list of {' and '.join(words)}"
    if get_origin(kind) is dict or kind is dict:
        return "table"
    names = {int: "whole number", float: "number", str: "text", bool: "true or false", Path: "path"}
    return names.get(kind, "address" if "Url" in str(kind) else "table")


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "required"
    value = field.get_default(call_default_factory=True)
    return "" if value is None or value == {} else _value(value)


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    if isinstance(value, tuple | list):
        return f"`[{', '.join(str(each) for each in value)}]`"
    return f"`{value}`" if value != "" else ""


if __name__ == "__main__":
    TARGET.write_text(page(), "utf-8")
