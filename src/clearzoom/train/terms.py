"""The losses as a configuration names them: a kind, a weight, and what the kind has of its own."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field


class _Term(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    weight: Annotated[float, Field(gt=0)] = 1.0


class PixelTerm(_Term):
    """Without a setting; all but ``l1`` and ``l2`` look at more than single px."""

    kind: Literal["l1", "l2", "ssim", "pitch", "peaks"]


class SmoothL1Term(_Term):
    """``beta_levels``: half-width of the parabola, levels of 255."""

    kind: Literal["smooth_l1"]
    beta_levels: Annotated[float, Field(gt=0)] = 1.0


class CharbonnierTerm(_Term):
    """``epsilon_levels``: where the tip becomes round, levels of 255."""

    kind: Literal["charbonnier"]
    epsilon_levels: Annotated[float, Field(gt=0)] = 1.0


class MsSsimTerm(_Term):
    """``scales``: five need HR patches of 176 px, three of 44."""

    kind: Literal["ms_ssim"]
    scales: Annotated[int, Field(ge=1, le=5)] = 5


class PerceptualTerm(_Term):
    """``layers``: each with its weight.

    ``file``: of weights, where they are not in the cache; a relative one starts at the TOML file.
    """

    kind: Literal["perceptual"]
    network: Literal["vgg16", "vgg19"] = "vgg16"
    layers: Annotated[dict[str, float], Field(min_length=1)] = {"conv5_3": 1.0}
    file: Path | None = None


class LpipsTerm(_Term):
    """LPIPS of VGG-16, as a loss; measure with AlexNet, so that the judge is another.

    ``file``: of weights and heads, where they are not in the cache.
    """

    kind: Literal["lpips"]
    file: Path | None = None


FEATURE_TERMS = (PerceptualTerm, LpipsTerm)
"""Terms with a feature network, whose weights may lie in a file of their own."""


Term = Annotated[
    PixelTerm | SmoothL1Term | CharbonnierTerm | MsSsimTerm | PerceptualTerm | LpipsTerm,
    Field(discriminator="kind"),
]
