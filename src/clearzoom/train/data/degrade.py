"""Make LR pictures as people have them: resized, blurred, sharpened, noisy, compressed."""

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
"""Rms, levels of 255, of a picture whose fault level is 1."""
_BLOCK_PX = 8


def fault_level(lr: Levels, clean: Levels) -> float:
    """Say how far a spoilt LR picture is from the true one.

    Args:
        lr: (h, w, 3) uint8.
        clean: the protocol's, likewise.

    Returns:
        sqrt(rms / 16 levels) over all pixels and channels; 0: equal; above 1 where it is far off.
    """
    difference = np.subtract(lr, clean, dtype=np.float32)
    return math.sqrt(math.sqrt(float(np.square(difference).mean())) / _LEVEL_1)


def degrade(
    hr: Levels, scale: int, wanted: Degradation, seed: Sequence[int], clean: Levels | None = None
) -> Levels:
    """Draw one LR version of a picture.

    Args:
        hr: (H, W, 3) uint8 sRGB, H and W multiples of scale.
        scale: the reduction.
        wanted: what may happen.
        seed: all that the result depends on, beside hr.
        clean: the protocol's LR, where it is known already.

    Returns:
        (H / scale, W / scale, 3) uint8; it lies where the protocol's does.
    """
    draw = _Draw(wanted, seed)
    if draw.happens(wanted.clean_share):
        return reduce_for_protocol(hr, scale) if clean is None else clean
    # A share of 0 draws no number, so that recipes without it give the versions of before.
    if wanted.single_fault_share and draw.happens(wanted.single_fault_share):
        return draw.single_fault(reduce_for_protocol(hr, scale) if clean is None else clean)
    height, width = hr.shape[0] // scale, hr.shape[1] // scale
    picture = hr
    if draw.happens(wanted.life_share):
        size = draw.low(wanted.life_size)
        picture = draw.lived(
            picture, *(min(round(size * px), px * scale) for px in (height, width))
        )
    if draw.happens(wanted.blur_share):
        picture = draw.blurred(picture, picture.shape[1] / width)
    if draw.happens(wanted.sharpening_before_share):
        picture = draw.sharpened(picture)
    picture = draw.resized(picture, height, width)
    compresses = draw.happens(wanted.compression_share)
    first = compresses and draw.happens(wanted.compression_first_share)
    if first:
        picture = draw.compressed(picture)
    for fault in draw.random.permutation(3):
        if fault == 0 and draw.happens(wanted.sharpening_after_share):
            picture = draw.sharpened(picture)
        elif fault == 1 and draw.happens(wanted.noise_share):
            picture = draw.noisy(picture)
        elif fault == 2 and draw.happens(wanted.chroma_noise_share):
            sigma, grain = (
                draw.low(wanted.chroma_noise_sigma_levels),
                draw.low(wanted.chroma_grain_px),
            )
            picture = with_chroma_noise(picture, sigma, draw.random, grain)
    if compresses and not first:
        picture = draw.compressed(picture)
    if compresses and draw.happens(wanted.second_compression_share):
        picture = draw.compressed(picture, shifted=draw.happens(wanted.shifted_share))
    return picture


class _Draw:
    """The faults, each as strong as the generator draws it."""

    def __init__(self, wanted: Degradation, seed: Sequence[int]) -> None:
        self.wanted = wanted
        self.random = np.random.default_rng(list(seed))

    def happens(self, share: float) -> bool:
        return self.random.random() < share

    def even(self, between: tuple[float, float]) -> float:
        return float(self.random.uniform(*between))

    def low(self, between: tuple[float, float]) -> float:
        """Evenly on a logarithmic scale."""
        return math.exp(self.random.uniform(math.log(between[0]), math.log(between[1])))

    def lived(self, hr: Levels, height_px: int, width_px: int) -> Levels:
        wanted = self.wanted
        picture = self.resized(hr, height_px, width_px)
        if self.happens(wanted.life_noise_share):
            sigma, grey = self.low(wanted.life_noise_sigma_levels), wanted.grey_noise_share
            picture = with_noise(picture, sigma, self.random, grey=self.happens(grey))
        if self.happens(wanted.life_compression_share):
            quality = round(self.even(wanted.life_quality))
            picture = compressed(picture, "jpg", quality, self.colour())
        return picture

    def resized(self, picture: Levels, height_px: int, width_px: int) -> Levels:
        points = self.happens(self.wanted.points_share)
        methods = self.wanted.points if points else self.wanted.reductions
        method = methods[self.random.integers(len(methods))]
        later = self.happens(0.5)
        return resized(picture, height_px, width_px, method, later=later)

    def blurred(self, picture: Levels, lr_px: float) -> Levels:
        wanted = self.wanted
        if self.happens(wanted.defocus_share):
            return defocused(picture, self.low(wanted.defocus_radius_px) * lr_px)
        sigma = self.low(wanted.blur_sigma_px) * lr_px
        if not self.happens(wanted.anisotropic_share):
            return blurred(picture, sigma)
        across = self.low(wanted.blur_sigma_px) * lr_px
        return blurred(picture, sigma, across, self.even((0, math.pi)))

    def sharpened(self, picture: Levels) -> Levels:
        amount = self.even(self.wanted.sharpening_amount)
        return sharpened(picture, amount, self.low(self.wanted.sharpening_sigma_px))

    def noisy(self, picture: Levels) -> Levels:
        sigma = self.low(self.wanted.noise_sigma_levels)
        if self.happens(self.wanted.shot_noise_share):
            return with_shot_noise(picture, sigma, self.random)
        grey = self.happens(self.wanted.grey_noise_share)
        return with_noise(picture, sigma, self.random, grey=grey)

    def single_fault(self, clean: Levels) -> Levels:
        compression = self.wanted.compression_share
        if self.happens(compression / (compression + self.wanted.noise_share)):
            return self.compressed(clean)
        return self.noisy(clean)

    def compressed(self, picture: Levels, *, shifted: bool = False) -> Levels:
        quality = round(self.even(self.wanted.quality))
        start_px = (0, 0)
        if shifted:
            top, left = self.random.integers(_BLOCK_PX, size=2).tolist()
            start_px = (top, left)
        if self.happens(self.wanted.webp_share):
            return compressed(picture, "webp", quality, start_px=start_px)
        return compressed(picture, "jpg", quality, self.colour(), start_px)

    def colour(self) -> Colour:
        return "4:4:4" if self.happens(self.wanted.full_colour_share) else "4:2:0"
