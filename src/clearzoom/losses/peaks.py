"""A loss on frequencies that stand out from their neighbours, like those of a fine weave."""

import torch
import torch.nn.functional as F
from torch import Tensor

from clearzoom.errors import SizeError
from clearzoom.losses.argument_checks import check_pair

_WINDOW_PX = 32
_STEP_PX = 16
_FLOOR = (0.5 / 255) ** 2 / _WINDOW_PX**2
"""The power of white noise of half a level of 255 at each frequency."""
_AROUND = 5
_FROM = 6
_MARGIN = 0.5
"""h of two equal kinds of noise differs by 0.2 (standard deviation) in squares of 128 px, and by
more in smaller ones."""


def peaks(sr: Tensor, hr: Tensor) -> Tensor:
    """Compute mean max(0, h(sr) - h(hr) - 0.5)^2 over pictures, colours and frequencies.

    h(f) is log P(f) less its mean over the frequencies within 5/32 cycles per px of f, across and
    down: how far f stands out from its neighbours. P is the power at a frequency, a mean over Hann
    windows of 32x32 px, each 16 px from the next (Welch's method), plus the power of white noise of
    half a level of 255, so that invisible patterns cost little. Frequencies below 6/32 in both
    directions do not count, since natural pictures have peaks there.

    A pattern that repeats every 2 to 5 px has its power at one frequency, and costs. Texture has it
    at many, and costs nothing, however strong it is and wherever it lies, as long as it is about as
    sharp as in the true picture: blur bends the whole spectrum, and costs a little. The many
    harmonics of dots that are farther apart raise their neighbours too, and are not detected.

    With e the positive part of the difference where it counts, else 0, and n values, the derivative
    by P(sr) is 2 (e - mean of e over the same neighbours) / (n P(sr)).

    Args:
        sr: (N, C, H, W), full range = 1; designed for squares of 128 px. Rows and columns at the
            end that do not fill a window are left out.
        hr: the same shape.

    Raises:
        SizeError: a side is below 32 px.
    """
    check_pair(sr, hr)
    if sr.ndim != 4 or min(sr.shape[2:]) < _WINDOW_PX:
        shape = tuple(sr.shape)
        raise SizeError(f"peaks needs (N, C, H, W) of {_WINDOW_PX} px or more, not {shape}")
    away = torch.fft.fftfreq(_WINDOW_PX, 1 / _WINDOW_PX, device=sr.device).abs()
    high = torch.maximum(away[:, None], away) >= _FROM
    excess = (_heights(sr) - _heights(hr))[..., high] - _MARGIN
    return excess.clamp(min=0).square().mean()


def _heights(pictures: Tensor) -> Tensor:
    """Compute h at each frequency: (N, C, 32, 32), in the order of ``fft2``."""
    logarithms = torch.log(_spectrum(pictures) + _FLOOR)
    round_it = F.pad(logarithms, (_AROUND,) * 4, mode="circular")
    return logarithms - F.avg_pool2d(round_it, 2 * _AROUND + 1, stride=1)


def _spectrum(pictures: Tensor) -> Tensor:
    """Compute the power, (N, C, 32, 32); white noise of variance v has v / 1024 everywhere."""
    exact = pictures.to(torch.promote_types(pictures.dtype, torch.float32))  # FFT has no bf16
    window = torch.hann_window(_WINDOW_PX, dtype=exact.dtype, device=exact.device)
    window = window[:, None] * window
    parts = exact.unfold(2, _WINDOW_PX, _STEP_PX).unfold(3, _WINDOW_PX, _STEP_PX)
    centred = parts - parts.mean((-2, -1), keepdim=True)  # or the mean leaks to its neighbours
    norm = window.square().mean() * _WINDOW_PX**4
    spectrum: Tensor = torch.fft.fft2(centred * window).abs().square().mean((2, 3)) / norm
    return spectrum
