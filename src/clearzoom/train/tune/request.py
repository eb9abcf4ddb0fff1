"""The arguments of ``tune``, checked before PyTorch is imported, which takes seconds."""

from dataclasses import dataclass
from pathlib import Path

from clearzoom.checked import AnyPath, Name, checked_arguments
from clearzoom.errors import MissingFileError, ModelError, OutputError
from clearzoom.weights import find, torch_file
from clearzoom.weights.card import AddedCard, Card, read_any_card
from clearzoom.weights.user_models import check_file, check_name

DATA = "data"
"""Name of the folder in a run's folder that holds its training pictures."""


@dataclass(frozen=True)
class TuneRequest:
    """Validated arguments of ``tune``.

    ``folder`` holds pictures, which count as HR. ``base`` names the model to start from, and
    ``weights`` and ``card`` are its files for ``scale``. ``name`` is the name of the new model.
    ``run`` is the folder of the run, which ``resume`` continues.
    """

    folder: Path
    base: str
    scale: int
    name: str
    run: Path
    resume: bool
    weights: Path
    card: Card


@checked_arguments()
def check_request(
    folder: AnyPath, base: Name, scale: int, name: Name, run: AnyPath, *, resume: bool = False
) -> TuneRequest:
    """Check the arguments of ``tune``, which ``TuneRequest`` describes.

    Raises:
        InputError: an argument has a wrong type or value.
        MissingFileError: the folder is missing, or there is no run to resume.
        ModelError: base cannot be tuned, or the name is taken or not allowed.
        OutputError: ``run`` holds another run.
    """
    if not folder.is_dir():
        raise MissingFileError(f"no folder {folder}; check the name")
    check_name(name, scale)
    weights, card = _base(base, scale)
    if not resume and _holds_a_run(run):
        raise OutputError(f"{run} holds a run; add `resume`, or name another folder with `output`")
    if resume and not (run / DATA).is_dir():
        raise MissingFileError(f"no run in {run} to resume; leave `resume` out to start")
    return TuneRequest(folder, base, scale, name, run, resume, weights, card)


def _holds_a_run(run: Path) -> bool:
    """Say whether the folder holds more than the rest of an interrupted preparation."""
    return run.is_dir() and any(path.name != f"{DATA}.partial" for path in run.iterdir())


def _base(base: str, scale: int) -> tuple[Path, Card]:
    """Find the weights to start from, and read their card."""
    onnx = find(base, scale)
    card = read_any_card(onnx.with_suffix(".json"))
    if isinstance(card, AddedCard):
        raise ModelError(f"{base} was added as ONNX and cannot be trained; tune from photo or fast")
    settings = card.training.config
    kinds = {loss["kind"] for loss in settings.get("losses") or []}
    if settings.get("adversarial") or "perceptual" in kinds:
        raise ModelError(
            f"{base} was trained for texture, which the numbers of tuning would only lower; tune "
            "from photo or fast"
        )
    weights = torch_file(onnx)
    check_file(weights)
    return weights, card
