"""What shall be tuned, checked before PyTorch is loaded, which takes seconds."""

from dataclasses import dataclass
from pathlib import Path

from clearzoom.checked import GivenPath, Name, checked_arguments
from clearzoom.errors import MissingFileError, ModelError, OutputError
from clearzoom.weights import find
from clearzoom.weights.card import AddedCard, Card, read_any_card
from clearzoom.weights.user_models import check_file, check_name

DATA = "data"
"""The folder in a run's with the pictures that it learns from."""


@dataclass(frozen=True)
class Wishes:
    """Wishes that can be had.

    ``folder``: of pictures, as sharp as they come: they are the truth. ``base``: the model to start
    from, of which ``weights`` and ``card`` are for ``scale``. ``name``: of the model that shall be.
    ``run``: folder of the run. ``resume``: go on with the run in its folder.
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
def check_wishes(
    folder: GivenPath, base: Name, scale: int, name: Name, run: GivenPath, *, resume: bool = False
) -> Wishes:
    """Check what can be known without training; see ``Wishes`` for the parameters.

    Raises:
        InputError: an argument is none of what it may be.
        MissingFileError: no folder, or nothing to resume.
        ModelError: base cannot be tuned, or the name cannot be had.
        OutputError: run holds another run.
    """
    if not folder.is_dir():
        raise MissingFileError(f"no folder {folder}; check the name")
    check_name(name, scale)
    weights, card = _base(base, scale)
    if not resume and _holds_a_run(run):
        raise OutputError(
            f"{run} holds a run; add `resume`, or name another folder with `output`",
            setting="resume",
        )
    if resume and not (run / DATA).is_dir():
        raise MissingFileError(
            f"no run in {run} to resume; leave `resume` out to start", setting="resume"
        )
    return Wishes(folder, base, scale, name, run, resume, weights, card)


def _holds_a_run(run: Path) -> bool:
    """More than what is left of preparing that was broken off."""
    return run.is_dir() and any(path.name != f"{DATA}.partial" for path in run.iterdir())


def _base(base: str, scale: int) -> tuple[Path, Card]:
    """The weights to start from, and their card."""
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
    weights = onnx.with_suffix(".safetensors")
    check_file(weights)
    return weights, card
