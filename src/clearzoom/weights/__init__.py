"""The released weights: NAME-xSCALE.onnx, .safetensors and the card, .json."""

from pathlib import Path

from clearzoom.errors import MissingFileError, UnknownModelError
from clearzoom.models.card import Card, read_card

FOLDER = Path(__file__).parent

DEFAULT_MODEL = "photo"
"""For pictures as people have them: compressed, noisy, resized before."""

PROTOCOL_MODEL = "fast"
"""For measuring: trained for the protocol's clean bicubic LR alone."""


def released() -> list[Card]:
    """Read the cards of all released weights, by name and scale.

    Example:
        >>> next(card.licence for card in released() if (card.name, card.scale) == ("photo", 4))
        'Apache-2.0'
    """
    return [read_card(path) for path in sorted(FOLDER.glob("*.json"))]


def scales_of(name: str) -> list[int]:
    """List the scales for which there are weights of a name.

    Raises:
        UnknownModelError: none by this name; the message lists what there is.
    """
    scales = sorted(card.scale for card in released() if card.name == name)
    if not scales:
        find(name, 4)
    return scales


def fastest_engine(path: Path, precision: str) -> str | None:
    """Name the engine that the card beside an ONNX file measured as the fastest.

    Args:
        path: .onnx.
        precision: cards measure fp32, and int8 where there is a file.

    Returns:
        "onnxruntime" or "openvino", or None where no card says so.
    """
    card = path.with_name(path.name.removesuffix(".onnx").removesuffix("-int8") + ".json")
    if precision not in ("fp32", "int8") or not card.is_file():
        return None
    rows = [row for row in read_card(card).speed if row.precision == precision]
    return min(rows, key=lambda row: row.seconds_per_output_mp).engine if rows else None


def find(name: str, scale: int) -> Path:
    """Find the ONNX file of released weights.

    Args:
        name: of the model.
        scale: of the enlargement.

    Raises:
        MissingFileError: the name is that of an ONNX file, which is not there.
        UnknownModelError: none by this name or for this scale; the message lists what there is.
    """
    if name.endswith(".onnx"):
        raise MissingFileError(f"no file {name}; check the name")
    path = FOLDER / f"{name}-x{scale}.onnx"
    if not path.is_file():
        there = ", ".join(f"{card.name} x{card.scale}" for card in released())
        raise UnknownModelError(f"no weights {name} for x{scale}; there are: {there or 'none'}")
    return path
