"""The learning rate as a function of the step and of max_steps alone."""

import math

from clearzoom.train.config import OptimiserSection


def learning_rate(step: int, optimiser: OptimiserSection) -> float:
    """Linear warm-up, then half a cosine.

    Args:
        step: from 0 to max_steps - 1.
        optimiser: gives both rates, warmup_steps and max_steps.

    References:
        Loshchilov and Hutter, "SGDR", 2017, eq. 5, one cycle.
    """
    warm = min(1.0, (step + 1) / (optimiser.warmup_steps + 1))
    cosine = 0.5 * (1 + math.cos(math.pi * min(1.0, step / optimiser.max_steps)))
    span = optimiser.learning_rate - optimiser.final_learning_rate
    return warm * (optimiser.final_learning_rate + span * cosine)
