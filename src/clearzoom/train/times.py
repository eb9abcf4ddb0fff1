"""Durations like 90s, 25m or 2h."""

import re
from typing import Annotated

from pydantic import Field

from clearzoom.errors import ConfigError

_LONGEST_S = 10 * 366 * 86_400

Seconds = Annotated[float, Field(ge=0, le=_LONGEST_S)]
"""Seconds that training may take; 0 ends it after the first step."""


def seconds_of(text: str) -> float:
    """Parse a duration like 90s, 25m or 2h.

    Args:
        text: a number, followed by s, m or h.

    Returns:
        Seconds.

    Raises:
        ConfigError: the text has another form, or is longer than ten years.

    Example:
        >>> seconds_of("1.5m")
        90.0
    """
    match = re.fullmatch(r"(\d+(?:\.\d+)?)([smh])", text)
    if match is None:
        raise ConfigError(f"{text!r} is no time; write 90s, 25m or 2h")
    seconds = float(match[1]) * {"s": 1, "m": 60, "h": 3600}[match[2]]
    if seconds > _LONGEST_S:
        raise ConfigError(f"{text:.20} is longer than any training; give ten years at most")
    return seconds
