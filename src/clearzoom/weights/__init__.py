"""The released weights: NAME-xSCALE.onnx, .safetensors and the card, .json."""

from pathlib import Path

from clearzoom.errors import UnknownModelError
from clearzoom.models.card import Card, read_card

FOLDER = Path(__file__).parent

DEFAULT_MODEL = "srresnet-slim"


def released() -> list[Card]:
    """Read the cards of all released weights, by name and scale."""
    return [read_card(path) for path in sorted(FOLDER.glob("*.json"))]


def find(name: str, scale: int) -> Path:
    """Find the ONNX file of released weights.

    Args:
        name: of the model.
        scale: of the enlargement.

    Raises:
        UnknownModelError: none by this name or for this scale; the message lists what there is.
    """
    path = FOLDER / f"{name}-x{scale}.onnx"
    if not path.is_file():
        there = ", ".join(f"{card.name} x{card.scale}" for card in released())
        raise UnknownModelError(f"no weights {name} for x{scale}; there are: {there or 'none'}")
    return path
