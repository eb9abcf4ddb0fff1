"""What a packed training is made of: the plan that its two ends agree on."""

from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

PLAN = "plan.json"
CONFIGS, DATA, SOURCES, WEIGHTS, WHEELS = "configs", "data", "sources", "weights", "wheels"
PART = "part-{}"


class _Packed(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Planned(_Packed):
    """One configuration of the list."""

    name: str
    """Of its file in the folder of configurations, and of its results."""
    share: Annotated[float, Field(gt=0)] = 1.0
    """Of the time, beside the shares of the others."""
    init: str | None = None
    """A file in the folder of weights, or the name of a configuration before it."""
    train: tuple[str, ...]
    """Where its training pictures came from, for the card."""
    validation: tuple[str, ...]
    """Likewise."""


class Plan(_Packed):
    """All that is run, in this order."""

    parts: int
    """Folders that the pack is divided into."""
    runs: Annotated[tuple[Planned, ...], Field(min_length=1)]


def read_plan(folder: Path) -> Plan:
    """Read the plan of a pack.

    Args:
        folder: the pack, or its first part.
    """
    return Plan.model_validate_json((folder / PLAN).read_bytes())
