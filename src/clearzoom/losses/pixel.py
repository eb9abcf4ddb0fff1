"""Pixel-wise losses. With d = sr - hr and n values, each is a mean over all values."""

from collections.abc import Callable
from typing import Literal

import torch.nn.functional as F
from torch import Tensor

PixelLoss = Literal["l1", "l2", "smooth_l1"]

SMOOTH_L1_BETA = 1 / 255
"""Half-width of smooth L1's parabola: one level, in units of the full range."""


def l1(sr: Tensor, hr: Tensor) -> Tensor:
    """Mean |d|; derivative sign(d) / n, the same pull however small the error.

    Args:
        sr: any shape, full range = 1.
        hr: the same shape.
    """
    return F.l1_loss(sr, hr)


def l2(sr: Tensor, hr: Tensor) -> Tensor:
    """Mean d^2; derivative 2 d / n, so large errors rule. PSNR is this loss on a log scale.

    Args:
        sr: any shape, full range = 1.
        hr: the same shape.
    """
    return F.mse_loss(sr, hr)


def smooth_l1(sr: Tensor, hr: Tensor) -> Tensor:
    """Mean of d^2 / (2 beta) where |d| < beta, else |d| - beta / 2; derivative clip(d/beta, 1) / n.

    Args:
        sr: any shape, full range = 1.
        hr: the same shape.

    References:
        Girshick, "Fast R-CNN", 2015, eq. 3.
    """
    return F.smooth_l1_loss(sr, hr, beta=SMOOTH_L1_BETA)


PIXEL_LOSSES: dict[PixelLoss, Callable[[Tensor, Tensor], Tensor]] = {
    "l1": l1,
    "l2": l2,
    "smooth_l1": smooth_l1,
}
