"""What an object store says of a file without reading it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

_TIMES, _TAGS = ("LastModified", "updated", "mtime", "created"), ("ETag", "etag", "md5Hash")
"""What stores call the time of the last change, and what differs after each."""


@dataclass(frozen=True)
class ObjectState:
    """What a store says of a file without reading it.

    Attributes:
        size_bytes: its size.
        changed_s: when it changed last, in s since 1970, or 0 where the store does not say so.
        version: differs after each change.
    """

    size_bytes: int
    changed_s: float
    version: str


def state_in(facts: Mapping[str, Any]) -> ObjectState:
    """Read the state from what a file system of fsspec tells of a file."""
    changed = next((facts[key] for key in _TIMES if facts.get(key)), 0.0)
    seconds = changed.timestamp() if isinstance(changed, datetime) else changed
    seconds = float(seconds) if isinstance(seconds, int | float) else 0.0
    tag = next((facts[key] for key in _TAGS if facts.get(key)), changed)
    return ObjectState(int(facts["size"]), seconds, str(tag).strip('"'))
