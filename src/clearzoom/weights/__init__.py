"""Find weights by name: the released ones beside this file, and the user's own in the data folder.

Each is NAME-xSCALE.onnx with its card, NAME-xSCALE.json; weights that clearzoom trained have
.safetensors too, of which the extra [train] brings the released ones.
"""

from pathlib import Path

from clearzoom.core.consistency import Consistency
from clearzoom.errors import MissingFileError, UnknownModelError, WeightsError, nearest
from clearzoom.weights.card import AddedCard, read_any_card
from clearzoom.weights.shipped import FOLDER, released, torch_file
from clearzoom.weights.user_models import own_folder, own_models

__all__ = [
    "DEFAULT_MODEL",
    "FOLDER",
    "PROTOCOL_MODEL",
    "card_files",
    "fastest_engine",
    "find",
    "released",
    "scales_of",
    "suited_consistency",
    "torch_file",
    "work_of",
]

DEFAULT_MODEL = "photo"
"""The model for everyday pictures, which are compressed, noisy or resized before."""

_LONGEST_NAME = 200
"""Longer names exceed what file systems allow, so no file can have them."""

_UNREAD = (".pth", ".pt", ".ckpt", ".safetensors")
"""Files of weights that become a model by a command first."""

_COUNTED_PX = 64 * 64
"""Cards state the multiply-adds for an input of this size."""

_USUAL_WORK = 300_000.0
"""Multiply-adds for each px of input, about those of ``photo``, where a card states none."""

PROTOCOL_MODEL = "fast"
"""The model for measuring, trained on the protocol's clean bicubic LR alone."""


def scales_of(name: str) -> list[int]:
    """List the scales for which there are weights of a name.

    Raises:
        UnknownModelError: none by this name; the message lists what there is.
        WeightsError: it is a person's own, and damaged.
    """
    scales = sorted(card.scale for card in released() if card.name == name)
    if scales:
        return scales
    own = own_models(name)
    for model in own:
        if model.fault is not None:
            raise WeightsError(model.fault)
    if not own:
        find(name, 4)
    return [model.scale for model in own]


def work_of(name: str) -> dict[int, float]:
    """Return the multiply-adds of a model's networks for each px of their input, by scale.

    Where a card does not state them, as of a network that others made, all count as equal.

    Args:
        name: of a released model or of the user's own.

    Raises:
        UnknownModelError: none by this name; the message lists what there is.
        WeightsError: it is a person's own, and damaged.

    Example:
        >>> {scale: round(work / 1000) for scale, work in work_of("fast").items()}
        {2: 134, 4: 145}
    """
    cards = {
        scale: read_any_card(find(name, scale).with_suffix(".json")) for scale in scales_of(name)
    }
    counted = {
        scale: card.counts.macc / _COUNTED_PX
        for scale, card in cards.items()
        if not isinstance(card, AddedCard)
    }
    return counted if len(counted) == len(cards) else dict.fromkeys(cards, _USUAL_WORK)


def card_files(name: str) -> list[Path]:
    """List the cards of a name, by scale, unread."""
    return sorted(FOLDER.glob(f"{name}-x*.json")) or [own.path for own in own_models(name)]


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
    read = read_any_card(card)
    speed = [] if isinstance(read, AddedCard) else read.speed
    rows = [row for row in speed if row.precision == precision]
    return min(rows, key=lambda row: row.seconds_per_output_mp).engine if rows else None


def suited_consistency(name: str, scale: int) -> Consistency:
    """Return the consistency that suits a model on clean input, as its card states.

    Args:
        name: of the model, or an ONNX file; without a card beside it, ``full`` suits it.
        scale: of the enlargement.

    Raises:
        UnknownModelError: no model has this name and scale.
        WeightsError: its card is damaged.

    Example:
        >>> suited_consistency("photo", 4), suited_consistency("fast", 4)
        (2.0, 'full')
    """
    is_file = name.endswith(".onnx")
    described = (Path(name) if is_file else find(name, scale)).with_suffix(".json")
    if is_file and not described.is_file():
        return "full"
    card = read_any_card(described)
    return "full" if isinstance(card, AddedCard) else card.consistency


def find(name: str, scale: int) -> Path:
    """Find the ONNX file of weights by name.

    Args:
        name: of the model.
        scale: of the enlargement.

    Raises:
        MissingFileError: the name is that of an ONNX file, which does not exist.
        UnknownModelError: no model has this name and scale; the message lists all models. Or the
            name is that of another file of weights, which cannot be used as it is.
    """
    if name.endswith(".onnx"):
        raise MissingFileError(f"no file {name}; check the name")
    if name.lower().endswith(_UNREAD):
        raise UnknownModelError(
            f"{name} is a file of weights, which is no model yet: add it with 'clearzoom models "
            "add', or, if clearzoom trained it, run 'clearzoom export'"
        )
    model = f"{name} for x{scale}"
    if len(model) < _LONGEST_NAME and "\0" not in model:
        path = FOLDER / f"{name}-x{scale}.onnx"
        if path.is_file():
            return path
        own = own_folder() / f"{name}-x{scale}.onnx"
        if own.with_suffix(".json").is_file():
            return own
    else:
        model = ascii(model[:_LONGEST_NAME]) + "..."
    there = [(card.name, card.scale) for card in released()]
    there += [(own.name, own.scale) for own in own_models()]
    words = ", ".join(f"{each} x{its_scale}" for each, its_scale in there)
    names = {each for each, _ in there}
    near = "" if name in names else nearest(name, sorted(names))
    raise UnknownModelError(f"no weights {model}; there are: {words or 'none'}{near}")
