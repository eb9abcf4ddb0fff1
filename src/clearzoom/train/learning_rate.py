"""The learning rate of each step: warm-up, then half a cosine, or constant and a final decay."""

import math
from dataclasses import asdict, dataclass
from typing import Any

import torch

from clearzoom.train.config import OptimiserSection


@dataclass(frozen=True)
class Decay:
    """The fall of a constant rate at the end of a run: ``steps`` steps from step ``start`` on."""

    start: int
    steps: int

    @property
    def end(self) -> int:
        """Number of steps of the whole run."""
        return self.start + self.steps

    @staticmethod
    def kept_in(checkpoint: dict[str, Any]) -> "Decay | None":
        """Read the decay from a checkpoint; None if it has not begun."""
        kept = checkpoint.get("decay")
        return Decay(**kept) if kept is not None else None

    @staticmethod
    def keep(decay: "Decay | None", checkpoint: dict[str, Any]) -> None:
        """Write the decay to a checkpoint."""
        checkpoint["decay"] = None if decay is None else asdict(decay)


def learning_rate(step: int, optimiser: OptimiserSection, decay: Decay | None = None) -> float:
    """Compute the rate of a step: linear warm-up, then half a cosine or constant and linear decay.

    Args:
        step: the optimiser step, from 0.
        optimiser: the section with the schedule, both rates, warmup_steps and max_steps.
        decay: the decay of a constant rate; None: it has not begun.

    References:
        Loshchilov and Hutter, "SGDR", 2017, eq. 5, one cycle; Hägele et al., "Scaling laws and
        compute-optimal training beyond fixed training durations", arXiv:2405.18392 (constant rate
        and decay).
    """
    warm = min(1.0, (step + 1) / (optimiser.warmup_steps + 1))
    if optimiser.schedule == "cosine":
        assert optimiser.max_steps is not None
        share = 0.5 * (1 + math.cos(math.pi * min(1.0, step / optimiser.max_steps)))
    elif decay is None:
        share = 1.0
    else:
        share = 1 - min(1.0, max(0, step - decay.start) / decay.steps)
    span = optimiser.learning_rate - optimiser.final_learning_rate
    return warm * (optimiser.final_learning_rate + span * share)


def set_learning_rate(optimiser: torch.optim.Optimizer, rate: float) -> None:
    """Set the rate of an optimiser's next step, for all its parameters."""
    for group in optimiser.param_groups:
        group["lr"] = rate


def last_step(optimiser: OptimiserSection, decay: Decay | None) -> int | None:
    """Give the number of steps of a run; None if its end is not known yet.

    Args:
        optimiser: the section with max_steps.
        decay: if it has begun, its end counts.
    """
    return optimiser.max_steps if decay is None else decay.end


def steps_in_time(seconds: float, a_step_s: float, a_validation_s: float, every: int) -> int:
    """Count the steps that fit a time, with validations at regular steps and one at the end.

    Args:
        seconds: the time to fill.
        a_step_s: seconds of one step.
        a_validation_s: seconds of one validation.
        every: steps between two validations.

    Returns:
        Steps, at least 1.

    Example:
        >>> steps_in_time(100, a_step_s=0.5, a_validation_s=10, every=100)
        150
    """
    return max(1, int((seconds - a_validation_s) / (a_step_s + a_validation_s / every)))
