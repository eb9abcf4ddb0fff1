"""The pictures that probe a network: a photograph of any size, and noise."""

import numpy as np

from clearzoom.core.arrays import Levels, Tensor
from clearzoom.core.grid import mirrored
from clearzoom.io.example import EYE, example_picture


def photograph(height_px: int, width_px: int) -> Levels:
    """Cut the example photograph from its eye on, mirrored where it is too small.

    Returns:
        (height_px, width_px, 3) uint8.
    """
    whole = example_picture()
    top, left = (part.start for part in EYE)
    rows = mirrored(top, top + height_px, whole.shape[0])
    columns = mirrored(left, left + width_px, whole.shape[1])
    return whole[rows[:, None], columns]


def noise(height_px: int, width_px: int, seed: int = 0, contrast: float = 1.0) -> Levels:
    """Draw independent uniform levels around grey: (height_px, width_px, 3) uint8."""
    random = np.random.default_rng(seed)
    levels = random.integers(0, 256, (height_px, width_px, 3), np.uint8)
    return levels if contrast == 1 else softened(levels, contrast)


def softened(levels: Levels, contrast: float) -> Levels:
    """Move levels towards grey: at contrast 1 they stay, at 0 all are 128."""
    soft: Levels = np.round(128 + (levels.astype(np.float64) - 128) * contrast).astype(np.uint8)
    return soft


def as_tensor(levels: Levels) -> Tensor:
    """Convert (H, W, 3) uint8 to (1, 3, H, W) float32 in -0.5..0.5."""
    values = levels.transpose(2, 0, 1)[None].astype(np.float32)
    return np.ascontiguousarray(values / np.float32(255) - np.float32(0.5))
