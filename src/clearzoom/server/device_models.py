"""The owner's own models on the page that enlarges in the browser: which are offered, and how."""

import json
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel

from clearzoom.weights.card import AddedCard, AnyCard, Mode, read_any_card
from clearzoom.weights.user_models import own_models

_LARGEST_BYTES = 100_000_000
"""Visitors' browsers fetch the file and keep it in their memory."""

_SENT = {
    *("name", "scale", "tile_px", "halo_px", "files", "licence"),
    *("kind", "interface", "period_px", "reach_px", "border_px", "mode", "whole_px", "blend_px"),
}
"""The fields of cards that the page needs; others of trained models name the owner's folders."""


class DeviceWeights(BaseModel):
    """One file of weights of the owner's own models."""

    scale: int
    licence: str
    source: str | None
    """The file that was added; None where clearzoom trained the weights."""
    bytes: int
    is_too_large: bool
    """Whether no browser is offered it."""
    mode: Mode
    """As on the card of an added network; tiles of networks that clearzoom trained are exact."""
    whole_px: int
    seam_levels: float


class DeviceModel(BaseModel):
    """One of the owner's own models."""

    name: str
    weights: list[DeviceWeights]


@dataclass(frozen=True)
class OwnFiles:
    """The own models that this process found at its start.

    Attributes:
        models: a description of each, for the page.
        cards: the cards of those that a browser can run, by the name of the card's file.
        weights: their weights, by the name of the file.
    """

    models: list[DeviceModel]
    cards: dict[str, Path]
    weights: dict[str, Path]


def own_files() -> OwnFiles:
    """Find the user's own models; damaged ones are left out, as ``/api/models`` leaves them out."""
    found = OwnFiles([], {}, {})
    weights: dict[str, list[DeviceWeights]] = {}
    for own in own_models():
        path = own.path.with_suffix(".onnx")
        if own.card is None:
            continue
        sizes = [file.bytes for file in own.card.files if file.name == path.name]
        if not sizes:
            continue
        described = _described(own.card, sizes[0])
        weights.setdefault(own.name, []).append(described)
        if not described.is_too_large:
            found.cards[own.path.name] = own.path
            found.weights[path.name] = path
    found.models.extend(DeviceModel(name=name, weights=each) for name, each in weights.items())
    return found


def sent_card(path: Path) -> str:
    """Read what the page needs of a card, as JSON; the model may have been replaced meanwhile.

    Raises:
        WeightsError: the card is missing or damaged.
    """
    return json.dumps(read_any_card(path).model_dump(mode="json", include=_SENT))


def _described(card: AnyCard, size_bytes: int) -> DeviceWeights:
    added = card if isinstance(card, AddedCard) else None
    return DeviceWeights(
        scale=card.scale,
        licence=card.licence,
        source=added.source if added else None,
        bytes=size_bytes,
        is_too_large=size_bytes > _LARGEST_BYTES,
        mode=added.mode if added else "exact",
        whole_px=added.whole_px if added else 0,
        seam_levels=added.measured.seam_levels if added else 0,
    )
