"""Pixel-wise losses: each is a mean over all n values of d = sr - hr."""

import torch
import torch.nn.functional as F
from torch import Tensor

from clearzoom.errors import InputError
from clearzoom.losses.argument_checks import check_pair

LEVEL = 1 / 255
"""One level of 8 bits, in units of the full range."""


def l1(sr: Tensor, hr: Tensor) -> Tensor:
    """Compute mean |d|; the derivative sign(d) / n is as large for small errors as for large ones.

    Args:
        sr: any shape, full range = 1.
        hr: the same shape.
    """
    check_pair(sr, hr)
    return F.l1_loss(sr, hr)


def l2(sr: Tensor, hr: Tensor) -> Tensor:
    """Compute mean d^2; its derivative 2 d / n grows with the error. PSNR is this on a log scale.

    Args:
        sr: any shape, full range = 1.
        hr: the same shape.
    """
    check_pair(sr, hr)
    return F.mse_loss(sr, hr)


def smooth_l1(sr: Tensor, hr: Tensor, beta: float = LEVEL) -> Tensor:
    """Compute the mean of d^2 / (2 beta) where |d| < beta, else of |d| - beta / 2.

    The derivative is d / (beta n) where |d| < beta, else sign(d) / n.

    Args:
        sr: any shape, full range = 1.
        hr: the same shape.
        beta: half-width of the parabola, full range = 1.

    References:
        Girshick, "Fast R-CNN", 2015, eq. 3.
    """
    check_pair(sr, hr)
    _check_width(beta, "beta")
    return F.smooth_l1_loss(sr, hr, beta=beta)


def charbonnier(sr: Tensor, hr: Tensor, epsilon: float = LEVEL) -> Tensor:
    """Compute mean sqrt(d^2 + epsilon^2), which is L1 with a round tip.

    The derivative is d / (sqrt(d^2 + epsilon^2) n).

    Args:
        sr: any shape, full range = 1.
        hr: the same shape.
        epsilon: the error below which the tip is round, full range = 1.

    References:
        Lai et al., "LapSRN", arXiv:1704.03915, eq. 2.
    """
    check_pair(sr, hr)
    _check_width(epsilon, "epsilon")
    return torch.sqrt((sr - hr).square() + epsilon**2).mean()


def _check_width(width: float, name: str) -> None:
    if not 0 < width < float("inf"):
        raise InputError(f"{name} must be above 0 and finite, not {width}")
