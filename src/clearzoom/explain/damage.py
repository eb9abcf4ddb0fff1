"""Ways to damage a picture, to which metrics respond differently."""

import numpy as np

from clearzoom.core.arrays import Float64Array, Levels


def brighter(picture: Levels, levels: float) -> Float64Array:
    """Add a constant.

    Args:
        picture: (H, W, 3) uint8.
        levels: the constant.

    Returns:
        (H, W, 3), not rounded or clipped.
    """
    return picture.astype(np.float64) + levels


def flatter(picture: Levels, share: float) -> Float64Array:
    """Move each value towards its channel's mean.

    Args:
        picture: (H, W, 3) uint8.
        share: share of the distance to the mean, 0..1.

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
        sigma: standard deviation of the noise, levels.
        seed: of the noise.

    Returns:
        (H, W, 3), not rounded or clipped.
    """
    noise = np.random.default_rng(seed).standard_normal(picture.shape[:2])
    return picture + sigma * noise[:, :, None]


def blurred(picture: Levels, sigma_px: float) -> Float64Array:
    """Blur by a Gaussian with mirrored borders.

    Args:
        picture: (H, W, 3) uint8.
        sigma_px: standard deviation of the Gaussian; 0 changes nothing.

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
    """Cut two equally sharp pictures that differ by a shift of their content.

    Args:
        picture: (H, W, 3) uint8.
        by_px: the shift of the second one's content to the left and up.

    Returns:
        Two (H - by_px, W - by_px, 3) uint8 pictures, the unmoved one first.
    """
    return picture[:-by_px, :-by_px], picture[by_px:, by_px:]
