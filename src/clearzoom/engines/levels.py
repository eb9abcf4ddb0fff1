"""Denoise levels of ``photo``: one file serves the whole range, since only its biases move."""

import base64
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from clearzoom.core.arrays import Tensor
from clearzoom.engines.interpolate import float_tensors
from clearzoom.engines.onnxruntime import load_onnxruntime
from clearzoom.errors import WeightsError

NOTE = "denoise"
"""The note in an ONNX file that holds the level of its biases, and how they move."""


@dataclass(frozen=True)
class DenoiseLevels:
    """The level of a file's biases, and how far each bias moves from level 0 to level 1."""

    level: float
    shifts: dict[str, Tensor]

    @classmethod
    def of(cls, notes: dict[str, str]) -> "DenoiseLevels | None":
        """Read the levels from a file's notes; None where its network has none.

        Raises:
            WeightsError: the note is damaged.
        """
        if NOTE not in notes:
            return None
        try:
            note: dict[str, Any] = json.loads(notes[NOTE])
            shifts = {
                name: np.frombuffer(base64.b64decode(coded), "<f4")
                for name, coded in note["shifts"].items()
            }
            return cls(float(note["level"]), shifts)
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise WeightsError(f"the note {NOTE!r} of this file is damaged: {error}") from error

    def mixed(self, other: "DenoiseLevels", strength: float) -> "DenoiseLevels":
        """Mix the levels of this network (strength 0) and another (strength 1)."""
        if self.level != other.level or self.shifts.keys() != other.shifts.keys():
            raise WeightsError("these two files are not of one network: their levels differ")
        share = np.float32(strength)
        return DenoiseLevels(
            self.level,
            {name: a + share * (other.shifts[name] - a) for name, a in self.shifts.items()},
        )

    def at(self, model: bytes, level: float) -> bytes:
        """Return the file's content with its biases at another level.

        Args:
            model: the content of the ONNX file that holds the note.
            level: 0 keeps clean input as it is, 1 cleans badly spoilt input.

        Raises:
            WeightsError: the file does not have the biases that its note names.
        """
        biases = {name: where for name, _, where in float_tensors(model) if name in self.shifts}
        if biases.keys() != self.shifts.keys():
            raise WeightsError("this file does not have the biases that its levels move")
        moved = bytearray(model)
        for name, (start, end) in biases.items():
            shift = self.shifts[name]
            if end - start != shift.nbytes:
                raise WeightsError("this file does not have the biases that its levels move")
            bias = np.frombuffer(model[start:end], "<f4")
            by = np.float32(level - self.level) * shift
            moved[start:end] = (bias + by).astype("<f4").tobytes()
        return bytes(moved)


def estimator_file(weights: Path) -> Path:
    """Name the file of the estimator that belongs to an ONNX file of weights."""
    return weights.with_name(f"{weights.stem}-level.onnx")


def load_estimator(path: Path) -> Callable[[Tensor], float]:
    """Load the network that estimates the denoise level that suits a picture.

    Args:
        path: NAME-xSCALE-level.onnx, which ``clearzoom export`` writes beside the weights.

    Returns:
        A function from LR windows, (1, 3, H, W) float32 in -0.5..0.5, to their level: about 0 for
        clean ones, about 1 for badly spoilt ones, not clipped.

    Raises:
        WeightsError: the file is damaged, or no ONNX.
    """
    run = load_onnxruntime(path)
    return lambda lr: float(run(lr)[0])
