"""Structural similarity (SSIM) and its three parts."""

from dataclasses import dataclass

import numpy as np

from clearzoom.core.arrays import Float64Array
from clearzoom.errors import SizeError
from clearzoom.metrics.argument_checks import compared_levels

_WINDOW_PX = 11
_SIGMA_PX = 1.5
_LEVELS = 255.0
_C1 = (0.01 * _LEVELS) ** 2
_C2 = (0.03 * _LEVELS) ** 2
_C3 = _C2 / 2


@dataclass(frozen=True)
class SSIMMaps:
    """Luminance, contrast and structure at each window inside the picture; SSIM = l * c * s.

    Each is (H - 10, W - 10) float64; l and c in 0..1, s in -1..1.
    """

    luminance: Float64Array
    contrast: Float64Array
    structure: Float64Array

    @property
    def ssim(self) -> Float64Array:
        """The product of the three parts."""
        return self.luminance * self.contrast * self.structure


def _window_mean(plane: Float64Array) -> Float64Array:
    offsets = np.arange(_WINDOW_PX) - _WINDOW_PX // 2
    taps = np.exp(-(offsets**2) / (2 * _SIGMA_PX**2))
    taps /= taps.sum()
    rows = plane.shape[0] - _WINDOW_PX + 1
    columns = plane.shape[1] - _WINDOW_PX + 1
    down = np.zeros((rows, plane.shape[1]))
    for k, tap in enumerate(taps):
        down += tap * plane[k : k + rows]
    out = np.zeros((rows, columns))
    for k, tap in enumerate(taps):
        out += tap * down[:, k : k + columns]
    return out


def ssim_maps(a: Float64Array, b: Float64Array) -> SSIMMaps:
    """Compute the l, c and s maps of SSIM.

    Args:
        a: (H, W) levels 0..255, H and W >= 11.
        b: the same shape.

    Raises:
        InputError: an argument is not an array of finite numbers.
        SizeError: the planes differ in shape or are smaller than the 11x11 window.

    References:
        Wang et al., "Image quality assessment: from error visibility to structural similarity",
        2004, eq. 6, 9, 10 (C3 = C2 / 2).
    """
    a, b = compared_levels(a, b)
    if a.ndim != 2 or min(a.shape) < _WINDOW_PX:
        raise SizeError(f"SSIM needs two planes of one shape, >= 11x11; got {a.shape}, {b.shape}")
    mean_a, mean_b = _window_mean(a), _window_mean(b)
    variance_a = np.maximum(_window_mean(a * a) - mean_a**2, 0.0)
    variance_b = np.maximum(_window_mean(b * b) - mean_b**2, 0.0)
    covariance = _window_mean(a * b) - mean_a * mean_b
    deviations = np.sqrt(variance_a * variance_b)
    return SSIMMaps(
        luminance=(2 * mean_a * mean_b + _C1) / (mean_a**2 + mean_b**2 + _C1),
        contrast=(2 * deviations + _C2) / (variance_a + variance_b + _C2),
        structure=(covariance + _C3) / (deviations + _C3),
    )


def ssim(a: Float64Array, b: Float64Array) -> float:
    """Compute mean SSIM: 11x11 Gaussian, sigma 1.5, K1 0.01, K2 0.03, windows inside the picture.

    Args:
        a: (H, W) levels 0..255, H and W >= 11.
        b: the same shape.

    Returns:
        SSIM in -1..1; 1 for equal planes.

    Raises:
        InputError: an argument is not an array of finite numbers.
        SizeError: the planes differ in shape or are smaller than the window.
    """
    return float(np.mean(ssim_maps(a, b).ssim))
