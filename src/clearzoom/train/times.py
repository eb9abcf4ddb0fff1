"""Times as people write them."""

import re
from typing import Annotated

from pydantic import Field

from clearzoom.errors import ConfigError

_LONGEST_S = 10 * 366 * 86_400

Seconds = Annotated[float, Field(ge=0, le=_LONGEST_S)]
"""A time that training may take; one of 0 ends after the first step."""


def seconds_of(text: str) -> float:
    """Understand a time like 90s, 25m or 2h.

    Args:
        text: a number and s, m or h.

    Raises:
        ConfigError: not of that form, or longer than ten years.

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
