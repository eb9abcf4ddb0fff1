"""The noise of a picture, estimated from its quietest parts."""

from collections.abc import Sequence

import numpy as np

from clearzoom.core.arrays import Float64Array, Tensor

_BLOCK_PX = 8
_QUIET = 0.1
"""The quantile over blocks: a tenth of most photographs is sky or out of focus."""

_MEDIAN_OF_NORMAL = 0.6745  # the median of |x| for a standard normal x
_GAIN = 6.0
"""The high-pass multiplies uncorrelated noise by this: the root of the sum of its squared taps."""


def noise_levels(windows: Sequence[Tensor]) -> float:
    """Estimate the standard deviation of noise in a picture.

    Each block of 8x8 px gives an estimate: the median of a high-pass, which edges hardly change.
    The quietest tenth of the blocks counts, because in others the high-pass measures texture.

    Args:
        windows: parts of the picture, each (C, H, W) float32; a level is 1/255.

    Returns:
        The root of the mean square over the colours, in levels of 255; 0 for drawn pictures and
        for windows that are too small.

    References:
        Immerkær, "Fast noise variance estimation", 1996 (the high-pass).

    Example:
        >>> noise = np.random.default_rng(0).normal(0, 5 / 255, (3, 96, 96))
        >>> 4 < noise_levels([noise.astype(np.float32)]) < 5
        True
    """
    estimates = [blocks for window in windows for blocks in _block_estimates(window)]
    return float(np.quantile(np.concatenate(estimates), _QUIET) * 255) if estimates else 0.0


def fine_contrast_levels(window: Tensor) -> float:
    """Measure the contrast at the scale of single px, whether it is detail or noise.

    Args:
        window: (C, H, W) float32; a level is 1/255.

    Returns:
        The root of the mean square of a high-pass, in levels of 255: for uncorrelated noise, its
        standard deviation. It is 0 for windows smaller than 3x3 px.

    Example:
        >>> fine_contrast_levels(np.zeros((3, 9, 9), np.float32))
        0.0
    """
    high = _high_pass(window)
    return float(np.sqrt((high**2).mean()) * 255 / _GAIN) if high.size else 0.0


def _high_pass(window: Tensor) -> Float64Array:
    rows = window[:, :-2] - 2 * window[:, 1:-1] + window[:, 2:]
    high = rows[..., :-2] - 2 * rows[..., 1:-1] + rows[..., 2:]
    return np.asarray(high, np.float64)


def _block_estimates(window: Tensor) -> list[Float64Array]:
    high = np.abs(_high_pass(window))
    colours, (down, across) = len(high), (length // _BLOCK_PX for length in high.shape[1:])
    if not down or not across:
        return []
    cut = high[:, : down * _BLOCK_PX, : across * _BLOCK_PX]
    blocks = cut.reshape(colours, down, _BLOCK_PX, across, _BLOCK_PX).swapaxes(2, 3)
    medians = np.median(blocks.reshape(colours, down * across, -1), axis=2)
    return [np.sqrt((medians**2).mean(axis=0)) / (_MEDIAN_OF_NORMAL * _GAIN)]
