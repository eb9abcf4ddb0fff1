"""A loss on power that a picture has too much of at a frequency, as a weave of any pitch has."""

import torch
from torch import Tensor

from clearzoom.errors import SizeError
from clearzoom.losses.given import check_pair

_WINDOW_PX = 32
_STEP_PX = 16
_FLOOR = (0.5 / 255) ** 2 / _WINDOW_PX**2
"""What white noise of half a level of 255 has at each frequency."""


def power(sr: Tensor, hr: Tensor) -> Tensor:
    """Mean max(0, log(P(sr) / P(hr)))^2 over pictures, colours and frequencies.

    P is the power at a frequency, the mean over windows of 32x32 px, Hann, each 16 px from the next
    (Welch's method). Texture may lie elsewhere than in the true picture, and may be weaker; what
    costs is more power than the true picture has: a pattern that repeats has it at one frequency.
    To both, the power of white noise of half a level of 255 is added: what nobody sees is cheap.

    The derivative at P(sr) is 2 log(P(sr) / P(hr)) / P(sr) / n where that is above 0; n values.

    Args:
        sr: (N, C, H, W), full range = 1.
        hr: the same shape.

    Raises:
        SizeError: a side is below 32 px.
    """
    check_pair(sr, hr)
    if sr.ndim != 4 or min(sr.shape[2:]) < _WINDOW_PX:
        shape = tuple(sr.shape)
        raise SizeError(f"power needs (N, C, H, W) of {_WINDOW_PX} px or more, not {shape}")
    excess = torch.log(_spectrum(sr) + _FLOOR) - torch.log(_spectrum(hr) + _FLOOR)
    return excess.clamp(min=0).square().mean()


def _spectrum(pictures: Tensor) -> Tensor:
    """(N, C, 32, 17), white noise of variance v gives v / 1024 at every frequency."""
    exact = pictures.to(torch.promote_types(pictures.dtype, torch.float32))  # no FFT in bf16
    window = torch.hann_window(_WINDOW_PX, dtype=exact.dtype, device=exact.device)
    window = window[:, None] * window
    parts = exact.unfold(2, _WINDOW_PX, _STEP_PX).unfold(3, _WINDOW_PX, _STEP_PX)
    centred = parts - parts.mean((-2, -1), keepdim=True)  # or the window leaks it to its neighbours
    norm = window.square().mean() * _WINDOW_PX**4
    spectrum: Tensor = torch.fft.rfft2(centred * window).abs().square().mean((2, 3)) / norm
    return spectrum
