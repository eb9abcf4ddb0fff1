"""Back-projection: make an enlarged picture reduce to the picture it came from."""

import numpy as np
import numpy.typing as npt

from clearzoom.core.resize import resize
from clearzoom.errors import SizeError

REACH_PX = 4
"""LR px that one round looks beyond its own: two of the reduction, two of the enlargement."""


def back_project(
    sr: npt.NDArray[np.floating],
    lr: npt.NDArray[np.floating],
    rounds: int,
    low: float,
    high: float,
) -> npt.NDArray[np.float32]:
    """Add the enlarged remainder (LR minus the reduced SR) so many times.

    Args:
        sr: (scale * H, scale * W[, C]) enlarged picture, in the range low..high (outside is
            clipped).
        lr: (H, W[, C]) the picture it came from, same range.
        rounds: >= 0.
        low: smallest value.
        high: largest value.

    Returns:
        (scale * H, scale * W[, C]) within low..high.

    Raises:
        SizeError: the shape of sr is no multiple of lr's.

    References:
        Irani and Peleg, "Improving resolution by image registration", 1991, with the measuring
        protocol's bicubic in both directions.
    """
    height, width = lr.shape[:2]
    if sr.shape[0] % height or sr.shape[1] % width or sr.shape[2:] != lr.shape[2:]:
        raise SizeError(f"a picture of {sr.shape} is no enlargement of one of {lr.shape}")
    result: npt.NDArray[np.float32] = np.clip(sr, low, high).astype(np.float32)
    for _ in range(rounds):
        remainder = lr - resize(result, height, width)
        result = np.clip(result + resize(remainder, *sr.shape[:2]), low, high).astype(np.float32)
    return result
