"""Colour under transparency: what a network sees there must not bleed into the visible edge."""

import numpy as np
import numpy.typing as npt

from clearzoom.core.resize import resize

_RADII_PX = (1, 2, 4, 8, 16, 32)

REACH_PX = _RADII_PX[-1] + 1
"""How far visible colour is carried."""

_FAINT = 16
"""So many times more alpha around a px halves what its own colour counts, and fast: of an opaque
neighbour's px, one with alpha 8 of 255 keeps an eighth of its colour, one with 32 nearly all. What
that changes of a picture as it is seen stays below 8 levels of 255."""


def _box_sum(values: npt.NDArray[np.int64], radius: int) -> npt.NDArray[np.int64]:
    """Sum over (2 radius + 1)² px around each; beyond the border there is nothing."""
    for axis in (0, 1):
        length = values.shape[axis]
        before = np.zeros_like(values.take([0], axis))
        sums = np.concatenate([before, np.cumsum(values, axis)], axis)
        at = np.arange(length)
        last, first = np.minimum(at + radius + 1, length), np.maximum(at - radius, 0)
        values = sums.take(last, axis) - sums.take(first, axis)
    return values


def fill_transparent(
    colour: npt.NDArray[np.unsignedinteger], alpha: npt.NDArray[np.unsignedinteger]
) -> npt.NDArray[np.unsignedinteger]:
    """Replace hidden colour by the alpha-weighted mean of what is visible near it.

    Colour is hidden where alpha is 0, and nearly hidden where it is a small part of the alpha
    around: the colour there becomes that of its neighbours, as far as they count more. Where alpha
    is 0 the mean is over the smallest square of 3, 5, 9, 17, 33 or 65 px that sees anything. All
    sums are of whole numbers, so a part of a picture is filled as the whole is. Visible pixels,
    and hidden ones further away, keep their colour.

    Args:
        colour: (H, W, C) uint8 or uint16, straight (not premultiplied).
        alpha: (H, W), same dtype, 0 = transparent.

    Returns:
        (H, W, C), same dtype.
    """
    if alpha.size == 0 or (alpha == alpha.flat[0]).all():
        return colour
    left = alpha == 0
    weight = alpha.astype(np.int64)[..., None]
    colour = _outweighed(colour, weight)
    if not left.any():
        return colour
    weighted = colour * weight
    filled = colour.copy()
    for radius in _RADII_PX:
        near = _box_sum(weight, radius)
        found = left & (near[..., 0] > 0)
        if found.any():
            mean = (_box_sum(weighted, radius)[found] + near[found] // 2) // near[found]
            filled[found] = mean.astype(colour.dtype)
            left &= ~found
        if not left.any():
            break
    return filled


def _outweighed(
    colour: npt.NDArray[np.unsignedinteger], weight: npt.NDArray[np.int64]
) -> npt.NDArray[np.unsignedinteger]:
    """Give faint px the colour of the 3 x 3 px around, as far as those have more alpha."""
    near = np.maximum(_box_sum(weight, 1), 1)
    usual = _box_sum(weight**2, 1) / near
    faint = ((weight > 0) & (usual > 2 * weight))[..., 0]
    if not faint.any():
        return colour
    own, usual = weight[faint], usual[faint]
    times = (usual - own) / (_FAINT * own)
    share = times * times * times / (1 + times * times * times)
    mean = _box_sum(colour * weight, 1)[faint] / near[faint]
    result = colour.copy()
    result[faint] = np.floor(colour[faint] * (1 - share) + mean * share + 0.5).astype(colour.dtype)
    return result


Floats = npt.NDArray[np.float64]


def spread_colour(
    colour: npt.NDArray[np.unsignedinteger],
    alpha: npt.NDArray[np.unsignedinteger],
    larger_alpha: Floats,
) -> tuple[Floats, Floats]:
    """Give the colour that alpha brings along where it spreads, and how much it counts there.

    Where an enlarged px has more alpha than the px that it lies in, the rest came from neighbours:
    so much of its colour is theirs, interpolated with each px weighted by its alpha.

    Args:
        colour: (H, W, C) uint8 or uint16, straight, before it is enlarged.
        alpha: (H, W), likewise.
        larger_alpha: (scale * H, scale * W), enlarged bicubic and clipped, not rounded.

    Returns:
        Levels, (scale * H, scale * W, C), and their share, (scale * H, scale * W, 1) in 0..1.
    """
    height, width = larger_alpha.shape
    scale = height // alpha.shape[0]
    own = alpha.repeat(scale, axis=0).repeat(scale, axis=1)
    weight = resize(alpha, height, width, "linear")
    spread = (larger_alpha > own) & (larger_alpha >= 0.5) & (weight > 0)
    share = np.where(spread, 1 - own / np.where(spread, larger_alpha, 1), 0.0)
    weighted = resize(colour * alpha.astype(np.float64)[..., None], height, width, "linear")
    return weighted / np.where(spread, weight, 1)[..., None], share[..., None]
