"""The luma of the measuring protocol."""

import numpy as np

from clearzoom.core.arrays import Float64Array, Levels


def luma_bt601(rgb: Levels) -> Float64Array:
    """Compute BT.601 studio luma without rounding, as SR papers do.

    Args:
        rgb: (..., 3) uint8 R'G'B'.

    Returns:
        (...) float64 in 16..235.

    References:
        ITU-R BT.601; MATLAB rgb2ycbcr (65.481, 128.553, 24.966).

    Example:
        >>> luma_bt601(np.array([255, 255, 255], np.uint8)).round(6).item()
        235.0
    """
    weights = np.array([65.481, 128.553, 24.966]) / 255.0
    return rgb.astype(np.float64) @ weights + 16.0
