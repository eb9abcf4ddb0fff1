"""Where a run comes from: the code's commit, the weights it started from, the work in them."""

import hashlib
import subprocess
from dataclasses import dataclass
from pathlib import Path

from safetensors import safe_open

from clearzoom.version import __version__
from clearzoom.weights.card import read_card


def code_words() -> str:
    """Name the code: its version, and the commit where it lies in a repository.

    Example: "0.1.0, commit 2b43639".
    """
    here = Path(__file__).parent
    try:
        asked = subprocess.run(
            ["git", "-C", here, "describe", "--always", "--dirty", "--exclude", "*"],
            capture_output=True,
            text=True,
            check=False,
        )
    except OSError:  # no git
        return __version__
    commit = asked.stdout.strip()
    return f"{__version__}, commit {commit}" if asked.returncode == 0 and commit else __version__


@dataclass(frozen=True)
class Origin:
    """The weights that a run started from, in words, and all the training in them."""

    weights: str
    hours: float
    lr_pixels: int


def origin_of(path: Path) -> Origin:
    """Look at a weights file to start from: released with its card, or of an earlier run.

    Args:
        path: .safetensors. A file that says nothing of its training counts as no work.

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
