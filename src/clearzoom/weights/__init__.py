"""The released weights: NAME-xSCALE.onnx, .safetensors and the card, .json."""

from pathlib import Path

from clearzoom.errors import UnknownModelError
from clearzoom.models.card import Card, read_card

FOLDER = Path(__file__).parent

DEFAULT_MODEL = "srresnet-slim"


def released() -> list[Card]:
    """Read the cards of all released weights, by name and scale."""
    return [read_card(path) for path in sorted(FOLDER.glob("*.json"))]


def fastest_engine(path: Path, precision: str) -> str | None:
    """Name the engine that the card beside an ONNX file measured as the fastest.

    Args:
        path: .onnx.
        precision: cards measure fp32; for others there is no answer.

    Returns:
        "onnxruntime" or "openvino", or None where no card says so.
    """
    card = path.with_suffix(".json")
    if precision != "fp32" or not card.is_file():
        return None
    rows = read_card(card).speed
    return min(rows, key=lambda row: row.seconds_per_output_mp).engine if rows else None


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
