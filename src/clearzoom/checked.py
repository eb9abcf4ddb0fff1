"""Check what programs give to the public names: wrong kinds end here, in an error of the tree.

Annotations are the schema: pydantic reads those of a dataclass or function, strictly, so ``"4"`` is
no number and ``True`` is none; numpy's scalars are. Annotations are read at the first call, so that
a command starts as fast as without.
"""

import errno
import inspect
import os
from collections.abc import Callable, Mapping
from dataclasses import InitVar
from difflib import get_close_matches
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

from clearzoom.errors import ClearzoomError, InputError, MissingFileError

Given = ParamSpec("Given")
Result = TypeVar("Result")
Kind = TypeVar("Kind", bound=type)

_LONGEST_WORDS = 60


def checked_fields(error: type[ClearzoomError]) -> Callable[[Kind], Kind]:
    """Check the fields of a dataclass whenever one is made, before anything else is done with them.

    Args:
        error: of the tree; is raised for an unknown field, and for a value of the wrong kind.

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
        changed: Any = kind  # a type checker holds each __init__ for its class alone
        start = changed.__init__
        names = list(inspect.signature(start).parameters)[1:]

        @wraps(start)
        def checked_start(self: Any, *args: Any, **given: Any) -> None:
            values = _named(kind.__name__, names, args, given, error)
            start(self, **_checked(kind, values, error))

        changed.__init__ = checked_start
        return kind

    return wrapped


def checked_arguments(
    error: type[ClearzoomError] = InputError,
) -> Callable[[Callable[Given, Result]], Callable[Given, Result]]:
    """Check the arguments of a function by their annotations.

    Args:
        error: of the tree; is raised for an unknown argument, and for a value of the wrong kind.

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

    def wrapped(function: Callable[Given, Result]) -> Callable[Given, Result]:
        names = list(inspect.signature(function).parameters)

        @wraps(function)
        def checked(*args: Given.args, **given: Given.kwargs) -> Result:
            values = _named(function.__name__, names, args, given, error)
            return function(**_checked(function, values, error))  # type: ignore[call-arg]

        return checked

    return wrapped


def checked_path(value: Any, what: str = "a path") -> Path:
    """Take a path that the system can look at; whether anything is there is not asked.

    Args:
        value: as a program gave it.
        what: it is, for the message.

    Raises:
        InputError: no str or Path; empty; or with characters that no path has.
        MissingFileError: too long for any file.

    Example:
        >>> checked_path("")
        Traceback (most recent call last):
        clearzoom.errors.InputError: a path is empty; name a file
    """
    if not isinstance(value, str | os.PathLike):
        raise InputError(f"{what} should be a str or Path, not {_short(value)}")
    text = os.fspath(value)
    if not isinstance(text, str):
        raise InputError(f"{what} should be of text, not of bytes: {_short(text)}")
    if fault := _name_fault(text):
        raise InputError(f"{what} {fault}")
    path = Path(text)
    try:
        os.lstat(path)
    except OSError as refusal:
        if refusal.errno == errno.ENAMETOOLONG:
            raise MissingFileError(f"no file {_short(text)}: its name is too long") from refusal
    return path


def _name_fault(text: str) -> str | None:
    """What keeps a text from naming a file or a model."""
    if not text:
        return "is empty; name a file"
    if "\0" in text:
        return f"holds a NUL, which no name has: {_short(text)}"
    try:
        os.fsencode(text)
    except UnicodeEncodeError:
        return f"holds half of a character, which no name has: {_short(text)}"
    return None


def _name(text: str) -> str:
    if fault := _name_fault(text):
        raise ValueError(f"a name {fault.partition(';')[0]}")
    return text


GivenPath = Annotated[Path, BeforeValidator(checked_path)]
"""A path as ``checked_path`` takes it; str is taken, too."""

Name = Annotated[str, AfterValidator(_name)]
"""A text that names a model or file: neither empty nor with a NUL or half a character."""


def _named(
    where: str,
    names: list[str],
    args: tuple[Any, ...],
    given: Mapping[str, Any],
    error: type[ClearzoomError],
) -> dict[str, Any]:
    if len(args) > len(names):
        raise error(f"{where} takes {len(names)} values at most, not {len(args)}")
    values = dict(zip(names, args, strict=False))
    for name, value in given.items():
        if name in values:
            raise error(f"{where}: {name} is given twice")
        if name not in names:
            near = get_close_matches(name, names, 1)
            more = f"; the nearest right one is {near[0]}" if near else ""
            raise error(f"{where} has no {name}{more}")
        values[name] = value
    return values


def _checked(
    owner: Callable[..., Any], values: dict[str, Any], error: type[ClearzoomError]
) -> dict[str, Any]:
    model = _schema(owner)
    known = {name: _plain(value) for name, value in values.items() if name in model.model_fields}
    try:
        read = model.model_validate(known)
    except ValidationError as refusal:
        faults = dict.fromkeys(_words(fault) for fault in refusal.errors(include_url=False))
        raise error(f"{owner.__name__}: {'; '.join(faults)}") from refusal
    except OverflowError as refusal:  # of an int of hundreds of digits
        raise error(f"{owner.__name__}: a number is too large") from refusal
    return values | {name: getattr(read, name) for name in known}


@cache
def _schema(owner: Callable[..., Any]) -> type[BaseModel]:
    """The annotations of a dataclass or function, as a model; what it need not know is left out."""
    hints = get_type_hints(owner, include_extras=True)
    parameters = inspect.signature(owner).parameters
    fields: dict[str, Any] = {}
    for name, parameter in parameters.items():
        hint = hints.get(name, Any)
        hint = hint.type if isinstance(hint, InitVar) else hint
        needed = parameter.default is inspect.Parameter.empty
        fields[name] = (hint, ... if needed else None)
    config = ConfigDict(
        strict=True, extra="forbid", arbitrary_types_allowed=True, protected_namespaces=()
    )
    return create_model(f"Checked{owner.__name__}", __config__=config, **fields)


def _plain(value: Any) -> Any:
    """Numpy's numbers as Python's."""
    if getattr(value, "ndim", None) == 0 and type(value).__module__ == "numpy":
        return value.item()
    return value


def _words(fault: Any) -> str:
    place, message = fault["loc"][0], str(fault["msg"])
    if fault["type"] == "missing":
        return f"{place} is missing"
    if fault["type"] == "value_error":  # of a function of ours, which says all
        return f"{place}: {fault['ctx']['error']}"
    return f"{place} {message.removeprefix('Input ')}, not {_short(fault['input'])}"


def _short(value: Any) -> str:
    try:
        words = repr(value)
    except Exception:  # of a foreign class, whatever it does
        words = f"a {type(value).__name__}"
    if len(words) > _LONGEST_WORDS or "\n" in words:
        words = f"a {type(value).__name__}" if not isinstance(value, str) else words[:40] + "...'"
    return words
