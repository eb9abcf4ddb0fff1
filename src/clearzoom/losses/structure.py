"""SSIM and MS-SSIM as losses, on each colour channel, over windows inside the picture."""

import torch
import torch.nn.functional as F
from torch import Tensor

from clearzoom.errors import InputError, SizeError
from clearzoom.losses.argument_checks import check_pair

_WINDOW_PX = 11
_SIGMA_PX = 1.5
_C1, _C2 = 0.01**2, 0.03**2  # of the full range 1

_SCALE_WEIGHTS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)

SCALES = len(_SCALE_WEIGHTS)
"""The number of scales of the published MS-SSIM; fewer scales allow smaller patches."""


def _blur(planes: Tensor) -> Tensor:
    offsets = torch.arange(_WINDOW_PX, device=planes.device) - _WINDOW_PX // 2
    taps = torch.exp(-offsets.square().to(planes.dtype) / (2 * _SIGMA_PX**2))
    taps = (taps / taps.sum()).expand(planes.shape[1], 1, 1, _WINDOW_PX)
    across = F.conv2d(planes, taps, groups=planes.shape[1])
    return F.conv2d(across, taps.transpose(2, 3), groups=planes.shape[1])


def _parts(sr: Tensor, hr: Tensor) -> tuple[Tensor, Tensor]:
    """Compute luminance, and contrast times structure, at each window."""
    # These are differences of nearly equal numbers, which bf16 would round away.
    with torch.autocast(sr.device.type, enabled=False):
        mean_sr, mean_hr = _blur(sr), _blur(hr)
        variances = _blur(sr * sr) - mean_sr**2 + _blur(hr * hr) - mean_hr**2
        covariance = _blur(sr * hr) - mean_sr * mean_hr
    luminance = (2 * mean_sr * mean_hr + _C1) / (mean_sr**2 + mean_hr**2 + _C1)
    return luminance, (2 * covariance + _C2) / (variances + _C2)


def _check(sr: Tensor, hr: Tensor, scales: int) -> None:
    check_pair(sr, hr)
    if sr.ndim != 4:
        raise SizeError(f"SSIM needs (N, C, H, W), not {tuple(sr.shape)}")
    if scales not in range(1, SCALES + 1):
        raise InputError(f"MS-SSIM has 1 to {SCALES} scales, not {scales}")
    least = _WINDOW_PX * 2 ** (scales - 1)
    if min(sr.shape[2:]) < least:
        raise SizeError(
            f"SSIM at {scales} scales needs patches of {least} px or more in HR, these have "
            f"{min(sr.shape[2:])}; set data.patch_px higher, or fewer scales"
        )


def ssim_loss(sr: Tensor, hr: Tensor) -> Tensor:
    """Compute 1 - mean SSIM.

    The derivative by sr is -mean (cs l' + l cs') over windows, with
    l = (2 m m* + C1) / (m^2 + m*^2 + C1), cs = (2 v + C2) / (s^2 + s*^2 + C2), with Gaussian means
    m, variances s^2 and covariance v; so m' = g, (s^2)' = 2 g (sr - m) and v' = g (hr - m*), where
    g is the window's weight at a px.

    Args:
        sr: (N, C, H, W) in -0.5..0.5, H and W >= 11.
        hr: the same shape.

    Raises:
        SizeError: smaller than the window.

    References:
        Wang et al., "Image quality assessment: from error visibility to structural similarity",
        2004, eq. 13.
    """
    _check(sr, hr, 1)
    luminance, rest = _parts(sr + 0.5, hr + 0.5)
    return 1 - (luminance * rest).mean()


def ms_ssim_loss(sr: Tensor, hr: Tensor, scales: int = SCALES) -> Tensor:
    """Compute 1 - MS-SSIM: the product of mean(cs_j)^w_j over scales j, with l cs at the last.

    Each scale is the mean of 2x2 px of the one before. The derivative is MS-SSIM times the sum of
    w_j mean(cs_j)' / mean(cs_j), with cs' as in ``ssim_loss``.

    Args:
        sr: (N, C, H, W) in -0.5..0.5, H and W >= 11 * 2 ** (scales - 1).
        hr: the same shape.
        scales: 1 to 5; the published weights of fewer scales are divided by their sum.

    Raises:
        SizeError: the picture is smaller than the window at the last scale.

    References:
        Wang et al., "Multi-scale structural similarity for image quality assessment", 2003, eq. 7.
    """
    _check(sr, hr, scales)
    weights = _SCALE_WEIGHTS[:scales]
    sr, hr = sr + 0.5, hr + 0.5
    result = sr.new_ones(sr.shape[:2])
    for index, weight in enumerate(weights):
        luminance, rest = _parts(sr, hr)
        last = index == scales - 1
        seen = (luminance * rest if last else rest).mean((2, 3))
        # A negative mean has no real power, so unlike patches get the least value.
        result = result * seen.clamp_min(1e-6) ** (weight / sum(weights))
        if not last:
            sr, hr = F.avg_pool2d(sr, 2), F.avg_pool2d(hr, 2)
    return 1 - result.mean()
