"""Weights of windows that are blended where their cores overlap."""

from dataclasses import dataclass

import numpy as np

from clearzoom.core.arrays import Tensor


@dataclass(frozen=True)
class Ramp:
    """A weight along one axis, which rises or falls along a cosine.

    Attributes:
        start_px: the first px of the ramp.
        length_px: how long it is; before and behind it the weight is 0 or 1. With 0 it is 1
            everywhere.
        falls: the weight falls from 1 to 0, and does not rise.
    """

    start_px: int
    length_px: int
    falls: bool = False

    def weights(self, start_px: int, stop_px: int, scale: int) -> Tensor:
        """Return the weights of the enlarged px of a stretch.

        Args:
            start_px: the first px of the stretch.
            stop_px: the first px behind it.
            scale: how many times the px were enlarged.

        Returns:
            (scale * (stop_px - start_px),) float32. A rising and a falling ramp add up to 1.

        Example:
            >>> [round(each, 2) for each in Ramp(0, 2).weights(0, 3, 2).tolist()]
            [0.04, 0.31, 0.69, 0.96, 1.0, 1.0]
        """
        if not self.length_px:
            return np.ones((stop_px - start_px) * scale, np.float32)
        at = (np.arange(start_px * scale, stop_px * scale) + 0.5) / scale - self.start_px
        rising = 0.5 - 0.5 * np.cos(np.pi * np.clip(at / self.length_px, 0, 1))
        return (1 - rising if self.falls else rising).astype(np.float32)
