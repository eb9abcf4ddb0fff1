"""Read TOML and JSON files from any source."""

import json
import tomllib
from pathlib import Path
from typing import Any

from clearzoom.errors import ClearzoomError

_LARGEST_BYTES = 16 * 2**20
"""Configurations and cards are far smaller; parsers need many times the size of the file."""


def read_toml(path: Path, error: type[ClearzoomError]) -> dict[str, Any]:
    """Read a TOML file.

    Args:
        path: the file.
        error: the class of the error to raise.

    Raises:
        error: the file cannot be read, is no TOML, or is larger than 16 MiB.
    """
    try:
        # Editors on Windows write a byte order mark before UTF-8.
        return tomllib.loads(_content(path, error).decode("utf-8-sig").replace("\r\n", "\n"))
    except RecursionError as reason:
        raise error(f"{path} is no valid TOML: its brackets are nested too deep") from reason
    except ValueError as reason:  # also for no UTF-8, and for a number with thousands of digits
        raise error(f"{path} is no valid TOML: {reason}") from reason


def read_json(path: Path, error: type[ClearzoomError]) -> Any:
    """Read a JSON file.

    Args:
        path: the file.
        error: the class of the error to raise.

    Raises:
        error: the file cannot be read, is no JSON, or is larger than 16 MiB.
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
        raise error(f"{path} has more than {_LARGEST_BYTES >> 20} MiB, too much for such a file")
    return content
