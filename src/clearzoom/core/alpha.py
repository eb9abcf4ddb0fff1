"""Colour under transparency: what a network sees there must not bleed into the visible edge."""

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]


def _halve(values: Floats) -> Floats:
    height, width = values.shape[:2]
    padded = np.pad(values, ((0, height % 2), (0, width % 2), (0, 0)))
    summed: Floats = padded[::2, ::2] + padded[1::2, ::2] + padded[::2, 1::2] + padded[1::2, 1::2]
    return summed


def fill_transparent(colour: Floats, alpha: Floats) -> Floats:
    """Replace colour where alpha is 0 by the alpha-weighted mean of what is visible near it.

    Push-pull over a pyramid of halved pictures: the nearer, the finer. Visible pixels keep their
    exact colour; a wholly transparent picture stays as it is.

    Args:
        colour: (H, W, C) float32, straight (not premultiplied), any range.
        alpha: (H, W) float32, 0 = transparent.

    Returns:
        (H, W, C) float32.

    References:
        Gortler et al., "The Lumigraph", 1996, section 3.4 (push-pull).
    """
    hidden = alpha <= 0
    if not hidden.any() or hidden.all():
        return colour
    sums, weight = colour * alpha[..., None], alpha[..., None]
    levels = []
    while True:
        levels.append((sums, weight))
        if max(weight.shape[:2]) == 1:
            break
        sums, weight = _halve(sums), _halve(weight)
    filled = sums / weight
    for sums, weight in reversed(levels[:-1]):
        height, width = weight.shape[:2]
        coarse = filled.repeat(2, axis=0).repeat(2, axis=1)[:height, :width]
        filled = np.where(weight > 0, sums / np.where(weight > 0, weight, 1), coarse)
    return np.where(hidden[..., None], filled, colour).astype(np.float32)
