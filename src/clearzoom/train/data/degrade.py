"""Make LR pictures with realistic faults: resized, blurred, sharpened, noisy, compressed."""

import math
from collections.abc import Sequence

import numpy as np

from clearzoom.core.arrays import Levels
from clearzoom.core.resize import reduce_for_protocol
from clearzoom.io.compression import Colour, compressed
from clearzoom.io.faults import (
    blurred,
    defocused,
    sharpened,
    with_chroma_noise,
    with_noise,
    with_shot_noise,
)
from clearzoom.io.resampling import resized
from clearzoom.train.data.degradation import Degradation

_LEVEL_1 = 16.0
"""Rms difference, in levels of 255, at fault level 1."""
_BLOCK_PX = 8


def fault_level(lr: Levels, clean: Levels) -> float:
    """Compute the fault level: the distance of a spoilt LR picture from the protocol's.

    Args:
        lr: (h, w, 3) uint8.
        clean: the protocol's LR, of the same shape.

    Returns:
        sqrt(rms / 16 levels) over all pixels and channels: 0 for equal pictures, 1 for an rms of
        16 levels.
    """
    difference = np.subtract(lr, clean, dtype=np.float32)
    return math.sqrt(math.sqrt(float(np.square(difference).mean())) / _LEVEL_1)


def degrade(
    hr: Levels,
    scale: int,
    degradation: Degradation,
    seed: Sequence[int],
    clean: Levels | None = None,
) -> Levels:
    """Draw one LR version of a picture.

    Args:
        hr: (H, W, 3) uint8 sRGB, H and W multiples of scale.
        scale: the reduction.
        degradation: which faults may happen, how often and how strong.
        seed: numbers that determine the result for an hr.
        clean: the protocol's LR, if it is known already.

    Returns:
        (H / scale, W / scale, 3) uint8, not shifted against the protocol's LR.
    """
    draw = _Draw(degradation, seed)
    if draw.happens(degradation.clean_share):
        return reduce_for_protocol(hr, scale) if clean is None else clean
    # A share of 0 draws no number, so that older configurations give the same versions as before.
    if degradation.single_fault_share and draw.happens(degradation.single_fault_share):
        return draw.single_fault(reduce_for_protocol(hr, scale) if clean is None else clean)
    height, width = hr.shape[0] // scale, hr.shape[1] // scale
    picture = hr
    if draw.happens(degradation.life_share):
        size = draw.low(degradation.life_size)
        picture = draw.lived(
            picture, *(min(round(size * px), px * scale) for px in (height, width))
        )
    if draw.happens(degradation.blur_share):
        picture = draw.blurred(picture, picture.shape[1] / width)
    if draw.happens(degradation.sharpening_before_share):
        picture = draw.sharpened(picture)
    picture = draw.resized(picture, height, width)
    compresses = draw.happens(degradation.compression_share)
    first = compresses and draw.happens(degradation.compression_first_share)
    if first:
        picture = draw.compressed(picture)
    for fault in draw.random.permutation(3):
        if fault == 0 and draw.happens(degradation.sharpening_after_share):
            picture = draw.sharpened(picture)
        elif fault == 1 and draw.happens(degradation.noise_share):
            picture = draw.noisy(picture)
        elif fault == 2 and draw.happens(degradation.chroma_noise_share):
            sigma, grain = (
                draw.low(degradation.chroma_noise_sigma_levels),
                draw.low(degradation.chroma_grain_px),
            )
            picture = with_chroma_noise(picture, sigma, draw.random, grain)
    if compresses and not first:
        picture = draw.compressed(picture)
    if compresses and draw.happens(degradation.second_compression_share):
        picture = draw.compressed(picture, shifted=draw.happens(degradation.shifted_share))
    return picture


class _Draw:
    """Draws the faults and their strengths from a seeded generator."""

    def __init__(self, degradation: Degradation, seed: Sequence[int]) -> None:
        self.degradation = degradation
        self.random = np.random.default_rng(list(seed))

    def happens(self, share: float) -> bool:
        return self.random.random() < share

    def even(self, between: tuple[float, float]) -> float:
        return float(self.random.uniform(*between))

    def low(self, between: tuple[float, float]) -> float:
        """Draw evenly on a logarithmic scale, so that small values are frequent."""
        return math.exp(self.random.uniform(math.log(between[0]), math.log(between[1])))

    def lived(self, hr: Levels, height_px: int, width_px: int) -> Levels:
        degradation = self.degradation
        picture = self.resized(hr, height_px, width_px)
        if self.happens(degradation.life_noise_share):
            sigma, grey = (
                self.low(degradation.life_noise_sigma_levels),
                degradation.grey_noise_share,
            )
            picture = with_noise(picture, sigma, self.random, grey=self.happens(grey))
        if self.happens(degradation.life_compression_share):
            quality = round(self.even(degradation.life_quality))
            picture = compressed(picture, "jpg", quality, self.colour())
        return picture

    def resized(self, picture: Levels, height_px: int, width_px: int) -> Levels:
        points = self.happens(self.degradation.points_share)
        methods = self.degradation.points if points else self.degradation.reductions
        method = methods[self.random.integers(len(methods))]
        later = self.happens(0.5)
        return resized(picture, height_px, width_px, method, later=later)

    def blurred(self, picture: Levels, lr_px: float) -> Levels:
        degradation = self.degradation
        if self.happens(degradation.defocus_share):
            return defocused(picture, self.low(degradation.defocus_radius_px) * lr_px)
        sigma = self.low(degradation.blur_sigma_px) * lr_px
        if not self.happens(degradation.anisotropic_share):
            return blurred(picture, sigma)
        across = self.low(degradation.blur_sigma_px) * lr_px
        return blurred(picture, sigma, across, self.even((0, math.pi)))

    def sharpened(self, picture: Levels) -> Levels:
        amount = self.even(self.degradation.sharpening_amount)
        return sharpened(picture, amount, self.low(self.degradation.sharpening_sigma_px))

    def noisy(self, picture: Levels) -> Levels:
        sigma = self.low(self.degradation.noise_sigma_levels)
        if self.happens(self.degradation.shot_noise_share):
            return with_shot_noise(picture, sigma, self.random)
        grey = self.happens(self.degradation.grey_noise_share)
        return with_noise(picture, sigma, self.random, grey=grey)

    def single_fault(self, clean: Levels) -> Levels:
        compression = self.degradation.compression_share
        if self.happens(compression / (compression + self.degradation.noise_share)):
            return self.compressed(clean)
        return self.noisy(clean)

    def compressed(self, picture: Levels, *, shifted: bool = False) -> Levels:
        quality = round(self.even(self.degradation.quality))
        start_px = (0, 0)
        if shifted:
            top, left = self.random.integers(_BLOCK_PX, size=2).tolist()
            start_px = (top, left)
        if self.happens(self.degradation.webp_share):
            return compressed(picture, "webp", quality, start_px=start_px)
        return compressed(picture, "jpg", quality, self.colour(), start_px)

    def colour(self) -> Colour:
        return "4:4:4" if self.happens(self.degradation.full_colour_share) else "4:2:0"
