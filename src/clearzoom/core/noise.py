"""How noisy a picture is, by its quietest parts."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

_BLOCK_PX = 8
_QUIET = 0.1
"""Of all blocks so many are quieter: a tenth of a photograph is out of focus, or sky."""

_MEDIAN_OF_NORMAL = 0.6745
_GAIN = 6.0
"""By so much the high-pass strengthens noise that is not correlated."""


def noise_levels(windows: Sequence[npt.NDArray[np.float32]]) -> float:
    """Estimate the standard deviation of noise in a picture.

    In each block of 8x8 px it is taken from the median of a high-pass, which edges do not move;
    of all blocks the lowest tenth counts, since in the others it is texture.

    Args:
        windows: of the picture: (C, H, W), a level being 1/255.

    Returns:
        In levels of 255, the root of the mean square over the colours; 0 for drawn pictures and
        for windows that are too small.

    References:
        Immerkær, "Fast noise variance estimation", 1996 (the high-pass).

    Example:
        >>> noise = np.random.default_rng(0).normal(0, 5 / 255, (3, 96, 96))
        >>> 4 < noise_levels([noise.astype(np.float32)]) < 5
        True
    """
    found = [blocks for window in windows for blocks in _of_blocks(window)]
    return float(np.quantile(np.concatenate(found), _QUIET) * 255) if found else 0.0


def fine_contrast_levels(window: npt.NDArray[np.float32]) -> float:
    """Measure how much there is of one pixel's size, be it detail or noise.

    Args:
        window: (C, H, W), a level being 1/255.

    Returns:
        Root of the mean square of a high-pass, in levels of 255; of noise that is not correlated
        its standard deviation. 0 for windows of less than 3x3 px.

    Example:
        >>> fine_contrast_levels(np.zeros((3, 9, 9), np.float32))
        0.0
    """
    high = _high_pass(window)
    return float(np.sqrt((high**2).mean()) * 255 / _GAIN) if high.size else 0.0


def _high_pass(window: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
    rows = window[:, :-2] - 2 * window[:, 1:-1] + window[:, 2:]
    high = rows[..., :-2] - 2 * rows[..., 1:-1] + rows[..., 2:]
    return np.asarray(high, np.float64)


def _of_blocks(window: npt.NDArray[np.float32]) -> list[npt.NDArray[np.float64]]:
    high = np.abs(_high_pass(window))
    colours, (down, across) = len(high), (length // _BLOCK_PX for length in high.shape[1:])
    if not down or not across:
        return []
    cut = high[:, : down * _BLOCK_PX, : across * _BLOCK_PX]
    blocks = cut.reshape(colours, down, _BLOCK_PX, across, _BLOCK_PX).swapaxes(2, 3)
    medians = np.median(blocks.reshape(colours, down * across, -1), axis=2)
    return [np.sqrt((medians**2).mean(axis=0)) / (_MEDIAN_OF_NORMAL * _GAIN)]
