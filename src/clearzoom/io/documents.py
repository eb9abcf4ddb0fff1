"""Read TOML and JSON files that anyone can have written."""

import json
import tomllib
from pathlib import Path
from typing import Any

from clearzoom.errors import ClearzoomError

_LARGEST_BYTES = 16 * 2**20
"""No configuration and no card comes near; parsers take many times as much memory."""


def read_toml(path: Path, error: type[ClearzoomError]) -> dict[str, Any]:
    """Read a TOML file.

    Args:
        path: of it.
        error: of the tree, to raise.

    Raises:
        error: it cannot be read, is no TOML, or is larger than 16 MiB.
    """
    try:
        # Editors of Windows put a mark before UTF-8.
        return tomllib.loads(_content(path, error).decode("utf-8-sig").replace("\r\n", "\n"))
    except RecursionError as reason:
        raise error(f"{path} is no valid TOML: its brackets are nested too deep") from reason
    except ValueError as reason:  # no TOML, no UTF-8, a number of thousands of digits
        raise error(f"{path} is no valid TOML: {reason}") from reason


def read_json(path: Path, error: type[ClearzoomError]) -> Any:
    """Read a JSON file.

    Args:
        path: of it.
        error: of the tree, to raise.

    Raises:
        error: it cannot be read, is no JSON, or is larger than 16 MiB.
    """
    try:
        return json.loads(_content(path, error))
    except RecursionError as reason:
        raise error(f"{path} is no valid JSON: its brackets are nested too deep") from reason
    except ValueError as reason:
        raise error(f"{path} is no valid JSON: {reason}") from reason


def _content(path: Path, error: type[ClearzoomError]) -> bytes:
    try:
        with path.open("rb") as file:
            content = file.read(_LARGEST_BYTES + 1)
    except OSError as reason:
        raise error(f"{path} cannot be read: {reason.strerror}") from reason
    if len(content) > _LARGEST_BYTES:
        raise error(f"{path} has more than {_LARGEST_BYTES >> 20} MiB: it is not what it should be")
    return content
