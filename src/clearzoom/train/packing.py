"""The layout of a pack, and the plan that both machines read."""

from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

PLAN = "plan.json"
CONFIGS, DATA, SOURCES, WEIGHTS = "configs", "data", "sources", "weights"
PART = "part-{}"


class _Packed(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Planned(_Packed):
    """One run of a pack."""

    name: str
    """Name of its configuration file, and of its results' folder."""
    share: Annotated[float, Field(gt=0)] = 1.0
    """Share of the time, relative to those of the other runs."""
    init: str | None = None
    """A file in the folder of weights, or the name of an earlier run."""
    train: tuple[str, ...]
    """Original folders of its training pictures, for the card."""
    validation: tuple[str, ...]
    """Original folders of its validation pictures."""


class Plan(_Packed):
    """The runs of a pack, in order."""

    parts: int
    """Number of folders that the pack is divided into."""
    runs: Annotated[tuple[Planned, ...], Field(min_length=1)]


def read_plan(folder: Path) -> Plan:
    """Read the plan of a pack.

    Args:
        folder: the pack, or its first part.
    """
    return Plan.model_validate_json((folder / PLAN).read_bytes())
