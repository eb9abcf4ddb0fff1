"""The keywords of the Python call: one schema, and their words in errors."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import numpy as np
from pydantic import Field

from clearzoom.checked import short, validated
from clearzoom.core.targets import Print
from clearzoom.engines import Device, Engine, Precision
from clearzoom.errors import ClearzoomError, InputError, worded
from clearzoom.io.formats import ResultFormat
from clearzoom.io.reading import DEFAULT_MAX_PIXELS
from clearzoom.pipeline.fields import WIDEST_HALO_PX
from clearzoom.pipeline.request import EnlargeRequest
from clearzoom.pipeline.settings import Settings, parse_bytes

_KEYWORDS = {
    "halo_px": "halo",
    "height_px": "height",
    "long_edge_px": "long_edge",
    "memory_bytes": "memory",
    "sheet": "print_size",
    "width_px": "width",
}
"""Settings that are keywords of another name."""

_TEXTS = {
    "print_size": "a text like 60x70cm@300dpi or a clearzoom.Print",
    "bleed": "a text like 3mm",
    "max_bytes": "a whole number or a text like 2MB",
    "memory": "a whole number or a text like 2GB",
}
"""Keywords that may be texts or something else, for which the schema knows no word."""


class EnlargeOptions(EnlargeRequest):
    """What a request states, and what is left to the machine and its files."""

    engine: Engine = "auto"
    precision: Precision = "fp32"
    device: Device = "auto"
    halo: int | None = Field(default=None, ge=0, le=WIDEST_HALO_PX)
    memory: str | None = None
    max_pixels: int = Field(default=DEFAULT_MAX_PIXELS, ge=1)
    format: ResultFormat | None = None

    def settings(self, sheet: Print | None = None) -> Settings:
        """Return the settings of an enlargement.

        Args:
            sheet: a print size that is no text, instead of ``print_size``.

        Raises:
            SizeError: more than one size, or a size that cannot be understood.
        """
        return replace(
            super().settings(sheet),
            engine=self.engine,
            precision=self.precision,
            device=self.device,
            halo_px=self.halo,
            memory_bytes=parse_bytes(self.memory, "memory_bytes") if self.memory else None,
            max_pixels=self.max_pixels,
            format=self.format,
        )


def settings_of(options: dict[str, Any]) -> Settings:
    """Make settings of the keywords of a call.

    Args:
        options: by the names of the fields of ``EnlargeOptions``. A print size may be a ``Print``,
            and an amount of bytes a whole number.

    Raises:
        ClearzoomError: a value has the wrong type or is out of bounds, or two contradict each
            other; the message names keywords.
    """
    sheet = options["print_size"]
    if isinstance(sheet, Print):
        options = options | {"print_size": None}
        if options["bleed"] is not None:
            raise InputError("a Print states its own `bleed`, as bleed_mm", setting="bleed")
    for name in ("max_bytes", "memory"):
        if isinstance(options[name], int | np.integer) and not isinstance(options[name], bool):
            options = options | {name: f"{options[name]:d}"}
    for name, right in _TEXTS.items():
        if not isinstance(options[name], str | None):
            raise InputError(
                f"enlarge: {name} should be {right}, not {short(options[name])}", setting=name
            )
    with in_keywords():
        checked = validated(EnlargeOptions, options, "enlarge", InputError)
        return checked.settings(sheet if isinstance(sheet, Print) else None)


@contextmanager
def in_keywords() -> Iterator[None]:
    """Let an error in the block name keywords where it names settings."""
    try:
        yield
    except ClearzoomError as error:
        words = worded(str(error), lambda name: f"`{_KEYWORDS.get(name, name)}`")
        if words == str(error):
            raise
        raise error.with_message(words) from error
