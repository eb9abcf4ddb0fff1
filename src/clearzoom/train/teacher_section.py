"""The section ``[teacher]`` of a training configuration."""

from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field


class TeacherSection(BaseModel):
    """A trained network whose results replace a part of HR: the target is a mixture of both.

    Detail that no network could infer from LR is weaker in that mixture. It is made at each start
    of a run, before the first step.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    file: Path
    """Weights of the teacher, ``.safetensors`` as ``clearzoom export`` writes them, of the same
    scale."""
    sha256: str | None = None
    """SHA-256 of the file. Runs fill it in, so that a resumed run has the same teacher and a card
    names it."""
    weight: Annotated[float, Field(gt=0, le=1)] = 0.5
    """Share of the teacher's result in the target; the rest is HR."""
    ensemble: bool = False
    """Whether the result is that of the self-ensemble, which is better and takes eight times as
    long."""
