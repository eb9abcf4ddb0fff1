"""The faults of real pictures, one function each: blur, sharpening and noise.

``resampling`` and ``compression`` have the others. Pictures are (H, W, 3) uint8 sRGB before and
after; random numbers come from the caller's generator.
"""

import math

import numpy as np
import pyvips

from clearzoom.core.arrays import Float64Array, Levels, Tensor
from clearzoom.io.resampling import resized

Random = np.random.Generator | np.random.RandomState

_REACH = 2.8  # the radius of a Gaussian's kernel in sigmas
_LARGEST_WEIGHT = 64
"""The largest weight of an integer kernel whose sum is a power of 2. libvips convolves with such a
kernel exactly and with vector instructions, 20 times as fast as with others."""
_FINE = 8  # subdivisions of a px along each axis for the edge of a disc
_CB = np.array([0.0, -0.344136, 1.772], np.float32)
_CR = np.array([1.402, -0.714136, 0.0], np.float32)
"""R, G and B of one level of Cb and Cr (BT.601, full range); no luma."""


def blurred(
    picture: Levels, sigma_px: float, across_px: float | None = None, angle: float = 0.0
) -> Levels:
    """Blur by a Gaussian.

    Args:
        picture: (H, W, 3) uint8.
        sigma_px: the sigma along the Gaussian's axis, > 0.
        across_px: the sigma across the axis; None makes the blur round.
        angle: the angle of the axis in radians, clockwise from the picture's right.
    """
    if across_px is None:
        at = np.arange(-_reach(sigma_px), _reach(sigma_px) + 1)
        line = np.exp(-0.5 * (at / sigma_px) ** 2)[None]
        return _convolved(_convolved(picture, line / line.sum()), line.T / line.sum())
    y, x = _grid(_reach(max(sigma_px, across_px)))
    along, across = x * np.cos(angle) + y * np.sin(angle), y * np.cos(angle) - x * np.sin(angle)
    kernel = np.exp(-0.5 * ((along / sigma_px) ** 2 + (across / across_px) ** 2))
    return _convolved(picture, kernel / kernel.sum())


def defocused(picture: Levels, radius_px: float) -> Levels:
    """Blur by a disc, as a lens out of focus does.

    Args:
        picture: (H, W, 3) uint8.
        radius_px: the radius of the disc, > 0; below 0.5 nothing changes.
    """
    side = 2 * math.ceil(radius_px - 0.5) + 1
    at = (np.arange(side * _FINE) + 0.5) / _FINE - side / 2
    inside = at[:, None] ** 2 + at**2 <= radius_px**2
    kernel = inside.reshape(side, _FINE, side, _FINE).sum((1, 3)).astype(np.float64)
    return _convolved(picture, kernel / kernel.sum())


def sharpened(picture: Levels, amount: float, sigma_px: float) -> Levels:
    """Sharpen by an unsharp mask.

    Args:
        picture: (H, W, 3) uint8.
        amount: the factor for the difference to the blurred picture, which is added.
        sigma_px: the sigma of that blur, > 0.
    """
    softer = blurred(picture, sigma_px)
    added = np.subtract(picture, softer, dtype=np.float32)
    added *= np.float32(amount)
    return _added(picture, added)


def _reach(sigma_px: float) -> int:
    return max(1, math.ceil(_REACH * sigma_px))


def _grid(reach: int) -> tuple[Float64Array, Float64Array]:
    y, x = np.mgrid[-reach : reach + 1, -reach : reach + 1].astype(np.float64)
    return y, x


def _convolved(picture: Levels, kernel: Float64Array) -> Levels:
    """Convolve by a symmetric kernel with a sum of 1; the border px are repeated outwards."""
    whole = 2 ** math.floor(math.log2(_LARGEST_WEIGHT / kernel.max()))
    exact = kernel.ravel() * whole
    weights = np.floor(exact)
    # The sum that rounding down removed goes to pairs of opposite weights, so nothing shifts.
    left_over, middle = round(whole - weights.sum()), len(weights) // 2
    most_lost = np.argsort((weights - exact)[:middle], kind="stable")[: left_over // 2]
    weights[most_lost] += 1
    weights[-1 - most_lost] += 1
    weights[middle] += left_over % 2
    image = pyvips.Image.new_from_array(np.ascontiguousarray(picture))
    mask = pyvips.Image.new_from_array(weights.reshape(kernel.shape).tolist(), whole)
    pixels: Levels = image.conv(mask, precision="integer").numpy()
    return pixels


def with_noise(
    picture: Levels, sigma_levels: float, random: Random, *, grey: bool = False
) -> Levels:
    """Add Gaussian noise.

    Args:
        picture: (H, W, 3) uint8.
        sigma_levels: the standard deviation in levels of 255.
        random: the generator of the noise.
        grey: whether the noise is equal in R, G and B.
    """
    shape = (*picture.shape[:2], 1 if grey else 3)
    return _added(picture, sigma_levels * _normal(random, shape))


def with_shot_noise(picture: Levels, sigma_levels: float, random: Random) -> Levels:
    """Add the noise of counted photons (Poisson), which grows with brightness.

    Args:
        picture: (H, W, 3) uint8; levels count as proportional to light.
        sigma_levels: the standard deviation on white in levels of 255, > 0; black has no noise.
        random: the generator of the noise.
    """
    photons = 255 / sigma_levels**2  # the photons of one level
    return _rounded(random.poisson(picture * photons).astype(np.float32) / np.float32(photons))


def with_chroma_noise(
    picture: Levels, sigma_levels: float, random: Random, grain_px: float = 1.0
) -> Levels:
    """Add coloured noise without a change of luma, like that of small sensors in the dark.

    Args:
        picture: (H, W, 3) uint8.
        sigma_levels: the standard deviation of Cb and of Cr in levels of 255.
        random: the generator of the noise.
        grain_px: the side of a coloured spot, >= 1; with 1, each px has its own colour.
    """
    height, width = picture.shape[:2]
    size = (max(1, round(height / grain_px)), max(1, round(width / grain_px)))
    grains = _normal(random, (*size, 2))
    if size != (height, width):
        # ``resized`` takes levels: one sigma is 32 of them.
        levels = _rounded(128 + 32 * np.concatenate([grains, grains[..., :1]], 2))
        spread = resized(levels, height, width, "bilinear")[..., :2].astype(np.float32) - 128
        grains = spread / np.float32(max(1.0, spread.std()))
    grains *= np.float32(sigma_levels)
    return _added(picture, grains[..., :1] * _CB + grains[..., 1:] * _CR)


def _normal(random: Random, shape: tuple[int, ...]) -> Tensor:
    if isinstance(random, np.random.Generator):
        return random.standard_normal(shape, np.float32)
    return random.standard_normal(shape).astype(np.float32)


def _added(picture: Levels, difference: Tensor) -> Levels:
    return _rounded(picture + difference)


def _rounded(values: Tensor) -> Levels:
    values += np.float32(0.5)
    # Truncating after + 0.5 rounds half up.
    return np.clip(values, 0, 255, out=values).astype(np.uint8)
