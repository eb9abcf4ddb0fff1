"""Check the types of arguments of public functions and classes; wrong ones raise our own errors.

The annotations of a dataclass or function are the schema. pydantic checks them strictly: ``"4"``
and ``True`` are no numbers, but numpy's scalars are. Annotations are read at the first call, so
that a command starts as fast as without the check.
"""

import errno
import inspect
import os
from collections.abc import Callable, Mapping
from dataclasses import InitVar, fields, is_dataclass
from functools import cache, wraps
from pathlib import Path
from typing import Annotated, Any, ParamSpec, TypeVar, get_type_hints

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    ValidationError,
    create_model,
)

from clearzoom.errors import ClearzoomError, InputError, MissingFileError, nearest

Parameters = ParamSpec("Parameters")
Result = TypeVar("Result")
Kind = TypeVar("Kind", bound=type)
Model = TypeVar("Model", bound=BaseModel)

_LONGEST_WORDS = 60


def checked_fields(error: type[ClearzoomError]) -> Callable[[Kind], Kind]:
    """Check the fields of a dataclass when an instance is made, before anything else uses them.

    Args:
        error: the class to raise for an unknown field or a value of the wrong type.

    Example:
        >>> from dataclasses import dataclass
        >>> @checked_fields(InputError)
        ... @dataclass(frozen=True)
        ... class Size:
        ...     width_px: int
        >>> Size("3")
        Traceback (most recent call last):
        clearzoom.errors.InputError: Size: width_px should be a valid integer, not '3'
    """

    def wrapped(kind: Kind) -> Kind:
        changed: Any = kind  # type checkers forbid assigning to __init__
        start = changed.__init__
        names = list(inspect.signature(start).parameters)[1:]

        @wraps(start)
        def checked_start(self: Any, *args: Any, **keywords: Any) -> None:
            values = _named(kind, names, args, keywords, error)
            start(self, **_checked(kind, values, error))

        changed.__init__ = checked_start
        return kind

    return wrapped


def checked_arguments(
    error: type[ClearzoomError] = InputError,
) -> Callable[[Callable[Parameters, Result]], Callable[Parameters, Result]]:
    """Check the arguments of a function by their annotations.

    Args:
        error: the class to raise for an unknown argument or a value of the wrong type.

    Example:
        >>> @checked_arguments()
        ... def doubled(length_px: int) -> int:
        ...     return 2 * length_px
        >>> doubled(4)
        8
        >>> doubled(None)
        Traceback (most recent call last):
        clearzoom.errors.InputError: doubled: length_px should be a valid integer, not None
    """

    def wrapped(function: Callable[Parameters, Result]) -> Callable[Parameters, Result]:
        names = list(inspect.signature(function).parameters)

        @wraps(function)
        def checked(*args: Parameters.args, **keywords: Parameters.kwargs) -> Result:
            values = _named(function, names, args, keywords, error)
            return function(**_checked(function, values, error))  # type: ignore[call-arg]

        return checked

    return wrapped


def checked_path(value: Any, what: str = "a path") -> Path:
    """Return a value as a path that the system can look up, whether or not a file is there.

    Args:
        value: what a program passed; a str or Path is right.
        what: the name of the value in messages.

    Raises:
        InputError: the value is no str or Path, is empty, or has characters that no path may have.
        MissingFileError: the path is too long for any file.

    Example:
        >>> checked_path("")
        Traceback (most recent call last):
        clearzoom.errors.InputError: a path is empty; name a file
    """
    if not isinstance(value, str | os.PathLike):
        raise InputError(f"{what} should be a str or Path, not {short(value)}")
    text = os.fspath(value)
    if not isinstance(text, str):
        raise InputError(f"{what} should be text, not bytes: {short(text)}")
    if fault := _name_fault(text):
        raise InputError(f"{what} {fault}")
    path = Path(text)
    try:
        os.lstat(path)
    except OSError as refusal:
        if refusal.errno == errno.ENAMETOOLONG:
            raise MissingFileError(f"no file {short(text)}: its name is too long") from refusal
    return path


def _name_fault(text: str) -> str | None:
    """Return why a text cannot name a file or a model, or None if it can."""
    if not text:
        return "is empty; name a file"
    if "\0" in text:
        return f"holds a NUL, which no name has: {short(text)}"
    try:
        os.fsencode(text)
    except UnicodeEncodeError:
        return f"holds half of a character, which no name has: {short(text)}"
    return None


def _name(text: str) -> str:
    if fault := _name_fault(text):
        raise ValueError(f"a name {fault.partition(';')[0]}")
    return text


AnyPath = Annotated[Path, BeforeValidator(checked_path)]
"""A path that ``checked_path`` accepts; a str is converted."""

Name = Annotated[str, AfterValidator(_name)]
"""A text that names a model or file: neither empty nor with a NUL or half a character."""


def _named(
    owner: Callable[..., Any],
    names: list[str],
    args: tuple[Any, ...],
    keywords: Mapping[str, Any],
    error: type[ClearzoomError],
) -> dict[str, Any]:
    where = owner.__name__
    if len(args) > len(names):
        raise error(f"{where} takes {len(names)} values at most, not {len(args)}")
    values = dict(zip(names, args, strict=False))
    for name, value in keywords.items():
        if name in values:
            raise error(f"{where}: {name} is given twice")
        if name not in names:
            remedy = _inside(owner, name) or nearest(name, names)
            raise error(f"{where} has no {name}{remedy}")
        values[name] = value
    return values


def _inside(owner: Callable[..., Any], name: str) -> str:
    """Return the end of a message that names the argument in which a name belongs."""
    for outer, hint in get_type_hints(owner).items():
        for each in fields(hint) if is_dataclass(hint) else ():
            if each.name == name or each.name.startswith(f"{name}_"):
                kind = hint if isinstance(hint, type) else type(hint)
                return f"; give {outer}=clearzoom.{kind.__name__}({each.name}=...)"
    return ""


def _checked(
    owner: Callable[..., Any], values: dict[str, Any], error: type[ClearzoomError]
) -> dict[str, Any]:
    model = _schema(owner)
    known = {name: value for name, value in values.items() if name in model.model_fields}
    read = validated(model, known, owner.__name__, error)
    return values | {name: getattr(read, name) for name in known}


def validated(
    model: type[Model], values: Mapping[str, Any], where: str, error: type[ClearzoomError]
) -> Model:
    """Check values strictly against a pydantic model.

    Args:
        model: the schema.
        values: by the names of its fields.
        where: what takes the values, which begins the message.
        error: the class to raise for a wrong value.

    Example:
        >>> class Size(BaseModel):
        ...     width_px: int
        >>> validated(Size, {"width_px": "3"}, "crop", InputError)
        Traceback (most recent call last):
        clearzoom.errors.InputError: crop: width_px should be a valid integer, not '3'
    """
    try:
        return model.model_validate(
            {name: _plain(value) for name, value in values.items()}, strict=True
        )
    except ValidationError as refusal:
        faults = dict.fromkeys(_words(fault) for fault in refusal.errors(include_url=False))
        raise error(f"{where}: {'; '.join(faults)}") from refusal
    except OverflowError as refusal:  # an int of hundreds of digits
        raise error(f"{where}: a number is too large") from refusal


@cache
def _schema(owner: Callable[..., Any]) -> type[BaseModel]:
    """Return a pydantic model of the annotations of a dataclass or function."""
    hints = get_type_hints(owner, include_extras=True)
    parameters = inspect.signature(owner).parameters
    shape: dict[str, Any] = {}
    for name, parameter in parameters.items():
        hint = hints.get(name, Any)
        hint = hint.type if isinstance(hint, InitVar) else hint
        needed = parameter.default is inspect.Parameter.empty
        shape[name] = (hint, ... if needed else None)
    config = ConfigDict(extra="forbid", arbitrary_types_allowed=True, protected_namespaces=())
    return create_model(f"Checked{owner.__name__}", __config__=config, **shape)


def _plain(value: Any) -> Any:
    """Convert a number of numpy to one of Python."""
    if getattr(value, "ndim", None) == 0 and type(value).__module__ == "numpy":
        return value.item()
    return value


def _words(fault: Any) -> str:
    place, message = fault["loc"][0], str(fault["msg"])
    if fault["type"] == "missing":
        return f"{place} is missing"
    if fault["type"] == "value_error":  # raised by a validator of ours, whose message is complete
        return f"{place}: {fault['ctx']['error']}"
    return f"{place} {message.removeprefix('Input ')}, not {short(fault['input'])}"


def short(value: Any) -> str:
    """Write a value for a message, by its type where its own words are long.

    Args:
        value: anything that a program passed.
    """
    try:
        words = repr(value)
    except Exception:  # the repr of a foreign class may raise anything
        words = f"a {type(value).__name__}"
    if len(words) > _LONGEST_WORDS or "\n" in words:
        words = f"a {type(value).__name__}" if not isinstance(value, str) else words[:40] + "...'"
    return words
