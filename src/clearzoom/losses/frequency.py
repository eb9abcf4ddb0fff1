"""A loss on frequencies: what of each there is, and where."""

import torch
from torch import Tensor

from clearzoom.losses.given import check_pair


def frequency(sr: Tensor, hr: Tensor) -> Tensor:
    """Mean |F d| over all frequencies, F the orthonormal 2-D Fourier transform, d = sr - hr.

    The derivative is Re F^-1(F d / |F d|) / n: each frequency pulls alike, however weak it is,
    while a pixel-wise loss hears mostly the strong, low ones.

    Args:
        sr: (N, C, H, W), full range = 1.
        hr: the same shape.

    References:
        Cho et al., "Rethinking coarse-to-fine approach in single image deblurring", 2021, eq. 6.
    """
    check_pair(sr, hr)
    spectrum: Tensor = torch.fft.fft2(sr - hr, norm="ortho")
    return spectrum.abs().mean()
