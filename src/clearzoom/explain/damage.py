"""Ways to make a picture worse, each of which a metric sees in another way."""

import numpy as np

from clearzoom.core.arrays import Float64Array, Levels


def brighter(picture: Levels, levels: float) -> Float64Array:
    """Add a constant.

    Args:
        picture: (H, W, 3) uint8.
        levels: that are added.

    Returns:
        (H, W, 3), not rounded or clipped.
    """
    return picture.astype(np.float64) + levels


def flatter(picture: Levels, share: float) -> Float64Array:
    """Move each value towards its channel's mean.

    Args:
        picture: (H, W, 3) uint8.
        share: of the way, 0..1.

    Returns:
        (H, W, 3), not rounded.
    """
    values = picture.astype(np.float64)
    moved: Float64Array = values + share * (values.mean((0, 1)) - values)
    return moved


def noisy(picture: Levels, sigma: float, seed: int = 0) -> Float64Array:
    """Add grey Gaussian noise.

    Args:
        picture: (H, W, 3) uint8.
        sigma: its standard deviation, levels.
        seed: of the noise.

    Returns:
        (H, W, 3), not rounded or clipped.
    """
    noise = np.random.default_rng(seed).standard_normal(picture.shape[:2])
    return picture + sigma * noise[:, :, None]


def blurred(picture: Levels, sigma_px: float) -> Float64Array:
    """Blur by a Gaussian, borders mirrored.

    Args:
        picture: (H, W, 3) uint8.
        sigma_px: of the Gaussian; 0 changes nothing.

    Returns:
        (H, W, 3), not rounded.
    """
    if sigma_px == 0:
        return picture.astype(np.float64)
    reach = int(np.ceil(4 * sigma_px))
    taps = np.exp(-(np.arange(-reach, reach + 1) ** 2) / (2 * sigma_px**2))
    taps /= taps.sum()
    border = ((reach, reach), (reach, reach), (0, 0))
    values = np.pad(picture.astype(np.float64), border, "symmetric")
    rows, columns = picture.shape[:2]
    values = np.sum([tap * values[k : k + rows] for k, tap in enumerate(taps)], axis=0)
    blur: Float64Array = np.sum(
        [tap * values[:, k : k + columns] for k, tap in enumerate(taps)], axis=0
    )
    return blur


def shifted_pair(picture: Levels, by_px: int) -> tuple[Levels, Levels]:
    """Cut two equally sharp pictures whose contents differ by a shift.

    Args:
        picture: (H, W, 3) uint8.
        by_px: how far the second one's content lies to the left and up.

    Returns:
        Two (H - by_px, W - by_px, 3) uint8: the unmoved part, and the moved one.
    """
    return picture[:-by_px, :-by_px], picture[by_px:, by_px:]
