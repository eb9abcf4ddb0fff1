"""The list of models, for programs and for the page's menu."""

import logging
from typing import Literal

from fastapi import APIRouter
from pydantic import BaseModel, Field

from clearzoom.engines.levels import NOTE
from clearzoom.engines.notes import read_notes
from clearzoom.server.error_answers import error_responses
from clearzoom.weights import find, released
from clearzoom.weights.card import AddedCard, AnyCard
from clearzoom.weights.shipped import ABOUT
from clearzoom.weights.user_models import own_models

_log = logging.getLogger("clearzoom.server")


class WeightsResponse(BaseModel):
    """One file of weights."""

    scale: int
    sha256: str = Field(description="SHA-256 of the .onnx file, as in `X-Clearzoom-Model`.")


class ModelResponse(BaseModel):
    """A model and its weights."""

    name: str = Field(examples=["photo"])
    scales: list[int] = Field(description="Scales of its weights; chains of them reach others.")
    about: str
    kind: Literal["released", "own", "added"] = Field(
        description="Shipped with clearzoom; trained or tuned by the server's owner; or added."
    )
    strength: bool = Field(description="Whether `strength` can be below 1.")
    denoise: bool = Field(description="Whether `denoise` can be a number.")
    licence: str
    hours: float | None = Field(
        description="Hours of training of the weights that took longest; null where unknown."
    )
    seconds_per_output_mp: float | None = Field(
        description="At the largest scale, with the fastest engine that was measured on a CPU."
    )
    weights: list[WeightsResponse]


class ModelsResponse(BaseModel):
    """All models, and the one of requests that name none."""

    default: str = Field(description="The model of requests that name none.")
    models: list[ModelResponse]


def model_router(default: str) -> APIRouter:
    """Make the route.

    Args:
        default: the model of requests that name none.
    """
    listed = _models()
    router = APIRouter(prefix="/api", tags=["enlarging"])

    @router.get("/models", responses=error_responses(401))
    async def models() -> ModelsResponse:
        """List the released models, and those that the server's owner made or added."""
        return ModelsResponse(default=default, models=listed)

    return router


def _models() -> list[ModelResponse]:
    """Describe the models, as this process finds them at its start."""
    models = [_model(name, cards, "released") for name, cards in _by_name(list(released())).items()]
    sound = []
    for own in own_models():
        if own.card is None:
            _log.warning("left out: %s", own.fault)
        else:
            sound.append(own.card)
    for name, cards in _by_name(sound).items():
        models.append(_model(name, cards, "added" if isinstance(cards[0], AddedCard) else "own"))
    return models


def _by_name(cards: list[AnyCard]) -> dict[str, list[AnyCard]]:
    named: dict[str, list[AnyCard]] = {}
    for card in sorted(cards, key=lambda card: card.scale):
        named.setdefault(card.name, []).append(card)
    return named


def _model(
    name: str, cards: list[AnyCard], kind: Literal["released", "own", "added"]
) -> ModelResponse:
    largest = cards[-1]
    trained = [card for card in cards if not isinstance(card, AddedCard)]
    speeds = [
        row.seconds_per_output_mp
        for card in trained[-1:]
        for row in card.speed
        if row.precision == "fp32"
    ]
    notes = {} if kind == "added" else read_notes(find(name, largest.scale))
    return ModelResponse(
        name=name,
        scales=[card.scale for card in cards],
        about=ABOUT.get(name) or _about(largest),
        kind=kind,
        strength=kind == "released" and "psnr_model" in notes,
        denoise=NOTE in notes,
        licence=largest.licence,
        hours=max((card.training.hours_in_all for card in trained), default=None),
        seconds_per_output_mp=min(speeds, default=None),
        weights=[
            WeightsResponse(scale=card.scale, sha256=file.sha256)
            for card in cards
            for file in card.files
            if file.name == f"{card.name}-x{card.scale}.onnx"
        ],
    )


def _about(card: AnyCard) -> str:
    if isinstance(card, AddedCard):
        return f"added from {card.source}; {card.licence}"
    started = card.training.started_from
    if started is None:
        return f"{card.network}, trained here"
    return f"tuned from {started.partition('-x')[0]} on {card.training.data.partition(':')[0]}"
