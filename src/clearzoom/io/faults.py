"""The faults that pictures have, one function each: blur, sharpening and noise.

Beside them stand ``resampling``, for reductions, and ``compression``. Pictures are (H, W, 3) uint8
sRGB before and after; what is random comes from the generator that is given.
"""

import math

import numpy as np
import numpy.typing as npt
import pyvips

from clearzoom.io.resampling import resized

Image = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float64]
Random = np.random.Generator | np.random.RandomState

_REACH = 2.8
"""Of a Gaussian's kernel, in sigmas."""
_LARGEST_WEIGHT = 64
"""Of a kernel in whole numbers whose sum is a power of 2. libvips convolves these exactly by vector
instructions, 20 times as fast as others."""
_FINE = 8
"""Parts of a pixel, each way, of which a disc's edge is counted."""
_CB = np.array([0.0, -0.344136, 1.772], np.float32)
_CR = np.array([1.402, -0.714136, 0.0], np.float32)
"""R, G and B of one level of Cb and Cr (BT.601, full range); no luma."""


def blurred(
    picture: Image, sigma_px: float, across_px: float | None = None, angle: float = 0.0
) -> Image:
    """Blur by a Gaussian.

    Args:
        picture: (H, W, 3) uint8.
        sigma_px: of the Gaussian, > 0, along its axis.
        across_px: sigma across it; None: as along, so that the blur is round.
        angle: of the axis, radians, from the picture's right to its bottom.
    """
    if across_px is None:
        at = np.arange(-_reach(sigma_px), _reach(sigma_px) + 1)
        line = np.exp(-0.5 * (at / sigma_px) ** 2)[None]
        return _convolved(_convolved(picture, line / line.sum()), line.T / line.sum())
    y, x = _grid(_reach(max(sigma_px, across_px)))
    along, across = x * np.cos(angle) + y * np.sin(angle), y * np.cos(angle) - x * np.sin(angle)
    kernel = np.exp(-0.5 * ((along / sigma_px) ** 2 + (across / across_px) ** 2))
    return _convolved(picture, kernel / kernel.sum())


def defocused(picture: Image, radius_px: float) -> Image:
    """Blur by a disc, as a lens out of focus does.

    Args:
        picture: (H, W, 3) uint8.
        radius_px: of the disc, > 0; below 0.5 nothing changes.
    """
    side = 2 * math.ceil(radius_px - 0.5) + 1
    at = (np.arange(side * _FINE) + 0.5) / _FINE - side / 2
    inside = at[:, None] ** 2 + at**2 <= radius_px**2
    kernel = inside.reshape(side, _FINE, side, _FINE).sum((1, 3)).astype(np.float64)
    return _convolved(picture, kernel / kernel.sum())


def sharpened(picture: Image, amount: float, sigma_px: float) -> Image:
    """Sharpen by an unsharp mask.

    Args:
        picture: (H, W, 3) uint8.
        amount: how many times the difference to the blurred picture is added.
        sigma_px: of that blur, > 0.
    """
    softer = blurred(picture, sigma_px)
    added = np.subtract(picture, softer, dtype=np.float32)
    added *= np.float32(amount)
    return _added(picture, added)


def _reach(sigma_px: float) -> int:
    return max(1, math.ceil(_REACH * sigma_px))


def _grid(reach: int) -> tuple[Floats, Floats]:
    y, x = np.mgrid[-reach : reach + 1, -reach : reach + 1].astype(np.float64)
    return y, x


def _convolved(picture: Image, kernel: Floats) -> Image:
    """Convolve by a symmetric kernel whose sum is 1; the last pixels go on beyond the border."""
    whole = 2 ** math.floor(math.log2(_LARGEST_WEIGHT / kernel.max()))
    exact = kernel.ravel() * whole
    weights = np.floor(exact)
    # What the cutting off left over goes to opposite weights alike, so that nothing shifts.
    left_over, middle = round(whole - weights.sum()), len(weights) // 2
    most_lost = np.argsort((weights - exact)[:middle], kind="stable")[: left_over // 2]
    weights[most_lost] += 1
    weights[-1 - most_lost] += 1
    weights[middle] += left_over % 2
    image = pyvips.Image.new_from_array(np.ascontiguousarray(picture))
    mask = pyvips.Image.new_from_array(weights.reshape(kernel.shape).tolist(), whole)
    pixels: Image = image.conv(mask, precision="integer").numpy()
    return pixels


def with_noise(picture: Image, sigma_levels: float, random: Random, *, grey: bool = False) -> Image:
    """Add Gaussian noise.

    Args:
        picture: (H, W, 3) uint8.
        sigma_levels: of the noise, levels of 255.
        random: draws it.
        grey: the same in R, G and B.
    """
    shape = (*picture.shape[:2], 1 if grey else 3)
    return _added(picture, sigma_levels * _normal(random, shape))


def with_shot_noise(picture: Image, sigma_levels: float, random: Random) -> Image:
    """Count photons in place of levels: the brighter, the more noise (Poisson).

    Args:
        picture: (H, W, 3) uint8; levels count as proportional to light.
        sigma_levels: of the noise on white, levels of 255, > 0; on black there is none.
        random: draws it.
    """
    photons = 255 / sigma_levels**2  # a level
    return _rounded(random.poisson(picture * photons).astype(np.float32) / np.float32(photons))


def with_chroma_noise(
    picture: Image, sigma_levels: float, random: Random, grain_px: float = 1.0
) -> Image:
    """Add coloured noise that leaves the luma as it is, like small sensors in the dark.

    Args:
        picture: (H, W, 3) uint8.
        sigma_levels: of the noise in Cb and in Cr, levels of 255.
        random: draws it.
        grain_px: side of a coloured spot, >= 1; 1: each pixel has its own.
    """
    height, width = picture.shape[:2]
    size = (max(1, round(height / grain_px)), max(1, round(width / grain_px)))
    grains = _normal(random, (*size, 2))
    if size != (height, width):
        # As a picture: 32 levels a sigma, enlarged between pixels' centres.
        levels = _rounded(128 + 32 * np.concatenate([grains, grains[..., :1]], 2))
        spread = resized(levels, height, width, "bilinear")[..., :2].astype(np.float32) - 128
        grains = spread / np.float32(max(1.0, spread.std()))
    grains *= np.float32(sigma_levels)
    return _added(picture, grains[..., :1] * _CB + grains[..., 1:] * _CR)


def _normal(random: Random, shape: tuple[int, ...]) -> npt.NDArray[np.float32]:
    if isinstance(random, np.random.Generator):
        return random.standard_normal(shape, np.float32)
    return random.standard_normal(shape).astype(np.float32)


def _added(picture: Image, difference: npt.NDArray[np.float32]) -> Image:
    return _rounded(picture + difference)


def _rounded(values: npt.NDArray[np.float32]) -> Image:
    values += np.float32(0.5)
    return np.clip(values, 0, 255, out=values).astype(np.uint8)  # cuts off: rounds half up
