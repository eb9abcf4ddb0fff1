"""The files of a run that are read again."""

from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open

from clearzoom.errors import TrainingError

LAST = "last.ckpt"
BEST = "best.safetensors"
BEFORE_DECAY = "before-decay.ckpt"
BEFORE_DECAY_WEIGHTS = "before-decay.safetensors"


def load_checkpoint(path: Path) -> dict[str, Any]:
    """Read a checkpoint; tensors and plain values only, no code.

    Raises:
        TrainingError: damaged.
    """
    try:
        state: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # torch raises whatever its readers meet
        raise TrainingError(f"{path} is damaged ({type(error).__name__}); start anew") from error
    return state


def best_validation_db(path: Path) -> float:
    """Read the validation PSNR that the best weights were chosen by; -inf where there are none."""
    if not path.is_file():
        return float("-inf")
    with safe_open(path, "pt") as file:
        return float(file.metadata()["val_psnr_db"])
