"""Colours to lay over a picture: they show where a network added most."""

import numpy as np
import numpy.typing as npt

from clearzoom.io.picture import Samples

FULL_LEVELS = 24
"""A difference of so many levels of 255, or more, has the last colour."""

_FIRST, _LAST = np.array([255, 214, 10]), np.array([214, 10, 110])
_MOST_OPAQUE = 215


def fidelity_colours(inferred: Samples, plain: Samples) -> npt.NDArray[np.uint8]:
    """Colour the difference between a network's result and the bicubic enlargement.

    Args:
        inferred: the network's result, (H, W, C) uint8 or uint16, without alpha.
        plain: the bicubic enlargement, of the same shape and dtype.

    Returns:
        (H, W, 4) uint8, RGB and alpha: transparent where they are equal, then from yellow to a deep
        pink, which stands for 24 levels (of 255, as the mean over the colours) and more.
    """
    top = np.iinfo(inferred.dtype).max
    difference = np.abs(inferred.astype(np.float32) - plain).mean(axis=2) * (255 / top)
    share = np.clip(difference / FULL_LEVELS, 0, 1)[..., None]
    colour = _FIRST + share * (_LAST - _FIRST)
    opacity = _MOST_OPAQUE * np.sqrt(share)
    return np.concatenate([colour, opacity], axis=2).round().astype(np.uint8)
