"""Measure the shift of a network's result: many shift, since the reduction in training did."""

import numpy as np

from clearzoom.core.arrays import Levels
from clearzoom.metrics.psnr import psnr

_CERTAIN_DB = 1.0
"""The gain that another place needs; at a shift of half a px two places are equally good."""


def measure_shift(sr: Levels, hr: Levels, most_px: int) -> tuple[int, int]:
    """Measure how far a result lies from its right place.

    Args:
        sr: (H, W, 3) uint8, the result.
        hr: (H, W, 3) uint8, the truth.
        most_px: the largest shift that is tried to each side.

    Returns:
        The shift of the result in px, down and right; (0, 0) unless another place gains 1 dB.
    """
    height, width = hr.shape[:2]
    truth = hr[most_px : height - most_px, most_px : width - most_px].astype(np.float64)

    def at(down: int, right: int) -> float:
        rows = slice(most_px + down, height - most_px + down)
        columns = slice(most_px + right, width - most_px + right)
        return psnr(sr[rows, columns].astype(np.float64), truth)

    steps = range(-most_px, most_px + 1)
    scores = {(down, right): at(down, right) for down in steps for right in steps}
    best = max(scores, key=lambda place: scores[place])
    return best if scores[best] > scores[0, 0] + _CERTAIN_DB else (0, 0)


def shift_words(shift_px: tuple[int, int]) -> str:
    """Write a shift as words, e.g. "1 px down and 2 px to the left"."""
    names = (("down", "up"), ("to the right", "to the left"))
    parts = [
        f"{abs(px)} px {more if px > 0 else less}"
        for px, (more, less) in zip(shift_px, names, strict=True)
        if px
    ]
    return " and ".join(parts)
