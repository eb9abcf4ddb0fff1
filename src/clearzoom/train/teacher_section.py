"""The section ``[teacher]`` of a training configuration."""

from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field


class TeacherSection(BaseModel):
    """A trained network whose results replace a part of HR: the target is a mixture of both.

    Detail that no network could infer from LR is weaker in that mixture, so a small network learns
    faster.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    file: Path
    """Exported weights of the teacher, ``.safetensors``, of the same scale."""
    weight: Annotated[float, Field(gt=0, le=1)] = 0.5
    """Share of the teacher's result in the target; the rest is HR."""
    ensemble: bool = False
    """Whether the result is the mean over the eight symmetries of the square, which is better and
    takes eight times as long."""
