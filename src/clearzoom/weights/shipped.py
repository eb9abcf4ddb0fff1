"""The weights that are installed with clearzoom."""

from pathlib import Path

from clearzoom.io.data_packages import package_folder
from clearzoom.weights.card import Card, read_card

FOLDER = Path(__file__).parent

ABOUT = {
    "photo": "for pictures as people have them: compressed, noisy, resized before",
    "fast": "for clean pictures that were only made smaller",
    "photo-crisp": "crisper texture, partly invented; with a strength",
    "srresnet-slim": "the course chapter's network, larger and slower",
}
"""What each released model is for, in one line."""


def released() -> list[Card]:
    """Read the cards of all released weights, ordered by name and scale.

    Example:
        >>> next(card.licence for card in released() if (card.name, card.scale) == ("photo", 4))
        'Apache-2.0'
    """
    return [read_card(path) for path in sorted(FOLDER.glob("*.json"))]


def torch_file(onnx: Path) -> Path:
    """Return the path of the weights for torch of an ONNX file; its own ones need not exist.

    They lie beside the ONNX file. Those of released models are beside it in a checkout alone, and
    elsewhere in the package that [train] brings, with their cards.

    Args:
        onnx: the ONNX file.

    Raises:
        MissingExtraError: it is a released one, and the package is not installed.

    Example:
        >>> torch_file(Path("mine-x2.onnx")).name
        'mine-x2.safetensors'
    """
    beside = onnx.with_suffix(".safetensors")
    if onnx.parent != FOLDER or beside.is_file():
        return beside
    return package_folder("clearzoom_torch", f"torch with {onnx.stem}", "train") / beside.name
