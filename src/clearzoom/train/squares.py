"""The random square of SR and HR patches that losses compare and a discriminator judges."""

import numpy as np
from torch import Tensor


def same_square(
    sr: Tensor, hr: Tensor, side_px: int, seed: int, step: int
) -> tuple[Tensor, Tensor]:
    """Cut the same square out of both, at a place that depends on the seed and the step alone.

    Args:
        sr: (N, C, H, W), any range; H and W >= side_px.
        hr: the same shape.
        side_px: side of the square.
        seed: the seed of the run.
        step: the optimiser step, from 0.

    Returns:
        Views of both, (N, C, side_px, side_px).
    """
    random = np.random.default_rng((seed, step, side_px))
    top, left = (int(random.integers(side - side_px + 1)) for side in hr.shape[2:])
    rows, columns = slice(top, top + side_px), slice(left, left + side_px)
    return sr[:, :, rows, columns], hr[:, :, rows, columns]
