"""The measuring protocol: from two uint8 pictures to the planes that are compared."""

from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from clearzoom.core.arrays import Levels
from clearzoom.core.colour import luma_bt601
from clearzoom.errors import SizeError
from clearzoom.metrics.argument_checks import check_pictures
from clearzoom.metrics.psnr import psnr, rmse_percent
from clearzoom.metrics.ssim import ssim

Sample = TypeVar("Sample", bound=np.generic)

PROTOCOL = (
    "uint8 RGB HR cropped to a multiple of scale; LR by MATLAB imresize bicubic; "
    "SR uint8; BT.601 luma, not rounded; scale px shaved; SSIM 11x11 Gaussian sigma 1.5, valid"
)


@dataclass(frozen=True)
class Score:
    """Scores of one picture: ``psnr_db`` (inf for equal planes), ``ssim``, ``rmse_percent``.

    ``lpips`` is an extra score, None where it was not measured.
    """

    psnr_db: float
    ssim: float
    rmse_percent: float
    lpips: float | None = None


def crop_to_multiple(image: Levels, scale: int) -> Levels:
    """Crop right and bottom so that both sides are multiples of scale.

    Args:
        image: (H, W, C) uint8.
        scale: >= 1.

    Raises:
        SizeError: a side is shorter than scale.
    """
    height, width = (side - side % scale for side in image.shape[:2])
    if not height or not width:
        raise SizeError(f"{image.shape[1]}x{image.shape[0]} px is smaller than scale {scale}")
    return image[:height, :width]


def shave(image: npt.NDArray[Sample], border_px: int) -> npt.NDArray[Sample]:
    """Remove a border before scoring, as SR papers do.

    Args:
        image: (H, W[, C]), any dtype, any colour space.
        border_px: pixels cut from each side; papers use the scale.

    Raises:
        SizeError: nothing would be left (H or W <= 2 * border_px).
    """
    if border_px < 0 or min(image.shape[:2]) <= 2 * border_px:
        raise SizeError(
            f"{image.shape[1]}x{image.shape[0]} px leaves nothing after shaving {border_px} px"
        )
    return image[border_px : image.shape[0] - border_px, border_px : image.shape[1] - border_px]


def score(sr: Levels, hr: Levels, scale: int) -> Score:
    """Score a super-resolved picture against the true one.

    Args:
        sr: (H, W, 3) uint8 RGB.
        hr: (H, W, 3) uint8 RGB, H and W multiples of scale.
        scale: of the enlargement, and the px that are shaved from each side.

    Raises:
        InputError: an array has another shape or dtype.
        SizeError: the shapes differ, or nothing is left to compare.

    References:
        The protocol of Ledig et al., arXiv:1609.04802, with MATLAB's SSIM window.
    """
    check_pictures(sr, hr)
    a, b = (shave(luma_bt601(picture), scale) for picture in (sr, hr))
    return Score(psnr(a, b), ssim(a, b), rmse_percent(a, b))
