"""The released models, for programs and for the page's menu."""

from functools import cache

from fastapi import APIRouter
from pydantic import BaseModel, Field

from clearzoom.engines.onnxruntime import read_notes
from clearzoom.models.card import Card
from clearzoom.server.job_schema import answers
from clearzoom.weights import find, released

ABOUT = {
    "fast": "for clean pictures that were only made smaller",
    "fast-perceptual": "crisper texture, a little less true; with a strength",
    "photo": "for pictures as people have them: compressed, noisy, resized before",
    "srresnet-slim": "the course chapter's network, larger and slower",
}
"""One line for each released model."""


class WeightsSaid(BaseModel):
    """One file of weights."""

    scale: int
    sha256: str = Field(description="Of the .onnx file, as in `X-Clearzoom-Model`.")


class ModelSaid(BaseModel):
    """A released model."""

    name: str = Field(examples=["photo"])
    scales: list[int] = Field(description="Of its weights; others are made by chaining.")
    about: str
    strength: bool = Field(description="Whether `strength` below 1 is possible.")
    licence: str
    hours: float = Field(description="Of training, of the weights that took longest.")
    seconds_per_output_mp: float | None = Field(
        description="At the largest scale, by the fastest engine that was measured on a CPU."
    )
    weights: list[WeightsSaid]


class ModelsSaid(BaseModel):
    """All released models."""

    default: str = Field(description="The model where none is asked for.")
    models: list[ModelSaid]


def model_router(default: str) -> APIRouter:
    """Make the route.

    Args:
        default: the server's model where none is asked for.
    """
    router = APIRouter(prefix="/api", tags=["enlarging"])

    @router.get("/models", responses=answers(401))
    async def models() -> ModelsSaid:
        """List the released models."""
        return ModelsSaid(default=default, models=_models())

    return router


@cache
def _models() -> list[ModelSaid]:
    cards: dict[str, list[Card]] = {}
    for card in sorted(released(), key=lambda card: card.scale):
        cards.setdefault(card.name, []).append(card)
    return [_said(name, own) for name, own in cards.items()]


def _said(name: str, cards: list[Card]) -> ModelSaid:
    largest = cards[-1]
    speeds = [row.seconds_per_output_mp for row in largest.speed if row.precision == "fp32"]
    return ModelSaid(
        name=name,
        scales=[card.scale for card in cards],
        about=ABOUT.get(name, largest.network),
        strength="psnr_model" in read_notes(find(name, largest.scale)),
        licence=largest.licence,
        hours=max(card.training.hours_in_all for card in cards),
        seconds_per_output_mp=min(speeds, default=None),
        weights=[
            WeightsSaid(scale=card.scale, sha256=file.sha256)
            for card in cards
            for file in card.files
            if file.name == f"{card.name}-x{card.scale}.onnx"
        ],
    )
