"""The checkpoint of a run, its best weights, and where they come from."""

import hashlib
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open

from clearzoom.errors import TrainingError
from clearzoom.version import __version__
from clearzoom.weights.card import read_card

LAST = "last.ckpt"
BEST = "best.safetensors"
BEFORE_DECAY = "before-decay.ckpt"
BEFORE_DECAY_WEIGHTS = "before-decay.safetensors"


def load_checkpoint(path: Path) -> dict[str, Any]:
    """Read a checkpoint: tensors and plain values, never code.

    Raises:
        TrainingError: the file is damaged.
    """
    try:
        state: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # torch raises whatever its readers meet
        raise TrainingError(f"{path} is damaged ({type(error).__name__}); start again") from error
    return state


def best_validation_db(path: Path) -> float:
    """Read the validation PSNR of the best weights in dB; -inf if there are none."""
    if not path.is_file():
        return float("-inf")
    with safe_open(path, "pt") as file:
        return float(file.metadata()["val_psnr_db"])


def code_words() -> str:
    """Describe the code: its version and, in a repository, its commit.

    Example: "0.1.0, commit 2b43639".
    """
    here = Path(__file__).parent
    try:
        git = subprocess.run(
            ["git", "-C", here, "describe", "--always", "--dirty", "--exclude", "*"],
            capture_output=True,
            text=True,
            check=False,
        )
    except OSError:  # no git
        return __version__
    commit = git.stdout.strip()
    return f"{__version__}, commit {commit}" if git.returncode == 0 and commit else __version__


@dataclass(frozen=True)
class Origin:
    """The weights that a run started from, with the hours and LR pixels of their training."""

    weights: str
    hours: float
    lr_pixels: int


def origin_of(path: Path) -> Origin:
    """Describe the weights that a run starts from: released with a card, or of an earlier run.

    Args:
        path: .safetensors. Without notes on its training, no training is counted.

    Raises:
        WeightsError: the card beside it is damaged.
    """
    words = f"{path.name}, sha256 {hashlib.sha256(path.read_bytes()).hexdigest()}"
    card = path.with_suffix(".json")
    if card.is_file():
        training = read_card(card).training
        return Origin(words, training.hours_in_all, training.lr_pixels_in_all)
    with safe_open(path, "pt") as file:
        notes = file.metadata() or {}
    return Origin(words, float(notes.get("hours", 0)), int(notes.get("lr_pixels", 0)))
