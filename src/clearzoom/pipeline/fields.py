"""The values that consistency and denoise take, in settings, requests and options alike."""

import math
from collections.abc import Callable
from functools import partial
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from clearzoom.core.consistency import Consistency
from clearzoom.core.wrap import Wrap
from clearzoom.errors import ModelError

WIDEST_HALO_PX = 4096

Auto = Literal["auto"]

WrapChoice = Literal["auto", Wrap]

_WAYS = ("auto", "full", "tones", "none")


def merged_consistency(
    consistency: Consistency | Auto, back_projection: bool | None
) -> Consistency | Auto:
    """Return the consistency, which may be stated by its old name, back-projection.

    Args:
        consistency: the value under the new name.
        back_projection: the value under the old name: true for full, false for none, None where it
            is not used.

    Raises:
        ModelError: both names are used.
    """
    if back_projection is None:
        return consistency
    if consistency != "auto":
        raise ModelError("back_projection is the old name of consistency; give one of the two")
    return "full" if back_projection else "none"


def parse_consistency(text: str) -> Consistency | Auto:
    """Parse a consistency.

    Args:
        text: auto, full, tones, none, or a number of levels.

    Raises:
        ModelError: the text has none of these forms.

    Example:
        >>> parse_consistency("tones"), parse_consistency("4")
        ('tones', 4.0)
    """
    for way in _WAYS:
        if text == way:
            return way  # type: ignore[return-value]
    try:
        levels = float(text)
    except ValueError:
        levels = math.nan
    if not 0 <= levels <= 255:
        raise ModelError(
            f"cannot understand {text!r:.60} as a consistency; give auto, full, tones, none, or a "
            "number of levels from 0 to 255"
        )
    return levels


def parse_denoise(text: str) -> float | Auto:
    """Parse a level of denoising.

    Args:
        text: auto, or a number from 0 to 1.

    Raises:
        ModelError: the text has none of these forms.

    Example:
        >>> parse_denoise("auto"), parse_denoise("0.4")
        ('auto', 0.4)
    """
    if text == "auto":
        return "auto"
    try:
        level = float(text)
    except ValueError:
        level = math.nan
    if not 0 <= level <= 1:
        raise ModelError(f"cannot understand {text!r:.60} as denoise; give auto, or 0 to 1")
    return level


def _parsed(parse: Callable[[str], Any], value: Any) -> Any:
    """Convert an error of parsing to a ValueError, the only kind that pydantic reports."""
    if not isinstance(value, str | int | float):
        raise ValueError(f"it should be a word or a number, not a {type(value).__name__}")
    try:
        return parse(str(value))
    except ModelError as error:
        raise ValueError(str(error)) from error


ConsistencyField = Annotated[
    Annotated[float, Field(ge=0, le=255)] | Literal["auto", "full", "tones", "none"],
    BeforeValidator(partial(_parsed, parse_consistency)),
]
DenoiseField = Annotated[
    Annotated[float, Field(ge=0, le=1)] | Literal["auto"],
    BeforeValidator(partial(_parsed, parse_denoise)),
]
