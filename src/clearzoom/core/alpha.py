"""Colour under transparency, replaced so that a network does not bleed it into visible edges."""

import numpy as np
import numpy.typing as npt

from clearzoom.core.arrays import Float64Array
from clearzoom.core.resize import resize

_RADII_PX = (1, 2, 4, 8, 16, 32)

REACH_PX = _RADII_PX[-1] + 1
"""Visible colour is carried at most this far, in px."""

_FAINT = 16
"""A px keeps half of its own colour if the px around it have this many times more alpha than it.
The share falls steeply: beside an opaque px, alpha 8 of 255 keeps an eighth of the colour, alpha 32
keeps nearly all. Composited, the picture changes by less than 8 levels of 255."""


def _box_sum(values: npt.NDArray[np.int64], radius: int) -> npt.NDArray[np.int64]:
    """Sum over the (2 radius + 1)² px around each px; px beyond the border count as zero."""
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
    """Replace hidden colour by the alpha-weighted mean of the visible colour near it.

    Colour is hidden where alpha is 0. It is nearly hidden where alpha is much smaller than around
    it; there it is mixed with the colour of the neighbours. Where alpha is 0, the mean is taken
    over the smallest square of 3, 5, 9, 17, 33 or 65 px that contains a visible px. All sums are of
    integers, so a part of a picture is filled exactly as the whole. Visible px keep their colour,
    and so do hidden px that are farther away.

    Args:
        colour: (H, W, C) uint8 or uint16, straight (not premultiplied).
        alpha: (H, W) of the same dtype; 0 is transparent.

    Returns:
        (H, W, C) of the same dtype.
    """
    if alpha.size == 0 or (alpha == alpha.flat[0]).all():
        return colour
    hidden = alpha == 0
    weight = alpha.astype(np.int64)[..., None]
    colour = _with_faint_mixed(colour, weight)
    if not hidden.any():
        return colour
    weighted = colour * weight
    filled = colour.copy()
    for radius in _RADII_PX:
        near = _box_sum(weight, radius)
        reached = hidden & (near[..., 0] > 0)
        if reached.any():
            mean = (_box_sum(weighted, radius)[reached] + near[reached] // 2) // near[reached]
            filled[reached] = mean.astype(colour.dtype)
            hidden &= ~reached
        if not hidden.any():
            break
    return filled


def _with_faint_mixed(
    colour: npt.NDArray[np.unsignedinteger], weight: npt.NDArray[np.int64]
) -> npt.NDArray[np.unsignedinteger]:
    """Mix the colour of faint px with that of the 3 x 3 px around them, by their alpha."""
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


def spread_colour(
    colour: npt.NDArray[np.unsignedinteger],
    alpha: npt.NDArray[np.unsignedinteger],
    larger_alpha: Float64Array,
) -> tuple[Float64Array, Float64Array]:
    """Compute the colour that spreads with alpha into transparent px, and its share there.

    Where an enlarged px has more alpha than the input px that contains it, the additional alpha
    comes from the neighbours. The same share of the colour is theirs: it is interpolated with each
    px weighted by its alpha.

    Args:
        colour: (H, W, C) uint8 or uint16, straight, before enlarging.
        alpha: (H, W) of the same dtype, before enlarging.
        larger_alpha: (scale * H, scale * W) float64, enlarged by bicubic and clipped, not rounded.

    Returns:
        The levels, (scale * H, scale * W, C) float64, and their share, (scale * H, scale * W, 1)
        float64 in 0..1.
    """
    height, width = larger_alpha.shape
    scale = height // alpha.shape[0]
    own = alpha.repeat(scale, axis=0).repeat(scale, axis=1)
    weight = resize(alpha, height, width, "linear")
    spread = (larger_alpha > own) & (larger_alpha >= 0.5) & (weight > 0)
    share = np.where(spread, 1 - own / np.where(spread, larger_alpha, 1), 0.0)
    weighted = resize(colour * alpha.astype(np.float64)[..., None], height, width, "linear")
    return weighted / np.where(spread, weight, 1)[..., None], share[..., None]
