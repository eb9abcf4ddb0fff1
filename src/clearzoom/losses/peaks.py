"""A loss on frequencies that stand out from those around them, as those of a fine weave do."""

import torch
import torch.nn.functional as F
from torch import Tensor

from clearzoom.errors import SizeError
from clearzoom.losses.argument_checks import check_pair

_WINDOW_PX = 32
_STEP_PX = 16
_FLOOR = (0.5 / 255) ** 2 / _WINDOW_PX**2
"""What white noise of half a level of 255 has at each frequency."""
_AROUND = 5
_FROM = 6
_MARGIN = 0.5
"""h of two noises alike differs by 0.2 (standard deviation) in squares of 128 px, more in less."""


def peaks(sr: Tensor, hr: Tensor) -> Tensor:
    """Mean max(0, h(sr) - h(hr) - 0.5)^2 over pictures, colours and frequencies.

    h(f) = log P(f) less its mean over the frequencies within 5/32 of a cycle a px of f, across and
    down: how high f stands over what is around it. P is the power at a frequency, the mean over
    windows of 32x32 px, Hann, each 16 px from the next (Welch's method), and the power of white
    noise of half a level of 255: what nobody sees is cheap. Frequencies below 6/32 in both
    directions do not count: pictures themselves have peaks there.

    A pattern that repeats every 2 to 5 px has its power at one frequency, and costs. Texture has it
    at many, and costs nothing, however strong it is and wherever it lies, as long as it is about as
    sharp as that of the true picture: blur bends the whole spectrum, and costs a little. A comb of
    many harmonics, as dots that are farther apart have, raises what is around it, and is not seen.

    With e the difference above 0 where it counts, else 0, and n values, the derivative at P(sr) is
    2 (e - mean of e over the same neighbours) / (n P(sr)).

    Args:
        sr: (N, C, H, W), full range = 1; made for squares of 128 px. Rows and columns at the
            end that fill no window are left out.
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
    """(N, C, 32, 32), h at each frequency as ``fft2`` orders them."""
    logarithms = torch.log(_spectrum(pictures) + _FLOOR)
    round_it = F.pad(logarithms, (_AROUND,) * 4, mode="circular")
    return logarithms - F.avg_pool2d(round_it, 2 * _AROUND + 1, stride=1)


def _spectrum(pictures: Tensor) -> Tensor:
    """(N, C, 32, 32), white noise of variance v gives v / 1024 at every frequency."""
    exact = pictures.to(torch.promote_types(pictures.dtype, torch.float32))  # no FFT in bf16
    window = torch.hann_window(_WINDOW_PX, dtype=exact.dtype, device=exact.device)
    window = window[:, None] * window
    parts = exact.unfold(2, _WINDOW_PX, _STEP_PX).unfold(3, _WINDOW_PX, _STEP_PX)
    centred = parts - parts.mean((-2, -1), keepdim=True)  # or the window leaks it to its neighbours
    norm = window.square().mean() * _WINDOW_PX**4
    spectrum: Tensor = torch.fft.fft2(centred * window).abs().square().mean((2, 3)) / norm
    return spectrum
