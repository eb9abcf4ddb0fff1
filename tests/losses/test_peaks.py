import numpy as np
import pytest
import torch

from clearzoom.errors import SizeError
from clearzoom.losses.peaks import peaks

FLOOR = (0.5 / 255) ** 2 / 1024


def weave(side_px, per_64_px):
    """A cosine of a hundredth of the range with so many periods in 64 px, down and across."""
    at = torch.arange(side_px, dtype=torch.float64) * (2 * torch.pi * per_64_px / 64)
    return 0.01 * torch.cos(at[:, None] + at)[None, None]


def noise(seed, deviation=0.01):
    numbers = torch.Generator().manual_seed(seed)
    return deviation * torch.randn(1, 3, 128, 128, dtype=torch.float64, generator=numbers)


@pytest.mark.parametrize("per_64_px", [14, 16, 20, 24, 27])
def test_a_pattern_of_2_to_5_px_costs_far_more_than_other_noise(per_64_px):
    assert peaks(noise(1) + weave(128, per_64_px), noise(0)) > 1000 * peaks(noise(1), noise(0))


@pytest.mark.parametrize("deviation", [0.002, 0.01, 0.1])
def test_texture_is_free_however_strong_and_wherever(deviation):
    hr = noise(0)
    assert peaks(noise(1, deviation), hr) < 1e-4
    assert peaks(torch.roll(hr, (3, 5), (2, 3)), hr) < 1e-4


def test_blur_costs_less_than_a_weave_that_one_sees():
    """It bends the spectrum: the docstring says so."""
    hr = noise(0, 0.05)
    away = torch.fft.fftfreq(128, dtype=torch.float64).square()
    kept = torch.exp(-2 * torch.pi**2 * 0.8**2 * (away[:, None] + away))
    blurred = torch.fft.ifft2(torch.fft.fft2(noise(1, 0.05)) * kept).real
    assert 1e-4 < peaks(blurred, hr) < peaks(noise(1, 0.05) + 3 * weave(128, 20), hr)


def test_a_pattern_that_the_true_picture_has_is_free():
    hr = noise(0) + weave(128, 20)
    assert peaks(hr, hr) == 0
    assert peaks(torch.roll(hr, (3, 5), (2, 3)), hr) < 1e-3
    assert peaks(noise(1) + weave(128, 20), noise(0)) > 0.01


@pytest.mark.slow
def test_it_is_the_excess_of_heights_in_welchs_spectrum():
    random = np.random.default_rng(0)
    sr, hr = random.normal(0, 0.1, (2, 1, 2, 48, 64))
    window = np.hanning(33)[:-1]

    def heights(plane):
        parts = np.lib.stride_tricks.sliding_window_view(plane, (32, 32))[::16, ::16]
        centred = parts - parts.mean((2, 3), keepdims=True)
        seen = np.abs(np.fft.fft2(centred * np.outer(window, window))) ** 2
        power = seen.mean((0, 1)) / (np.outer(window, window) ** 2).sum() / 1024
        logarithms = np.log(power + FLOOR)
        shifts = [(down, across) for down in range(-5, 6) for across in range(-5, 6)]
        return logarithms - np.mean([np.roll(logarithms, by, (0, 1)) for by in shifts], 0)

    costs = [
        max(0, heights(a)[down, across] - heights(b)[down, across] - 0.5) ** 2
        for a, b in zip(sr[0], hr[0], strict=True)
        for down in range(32)
        for across in range(32)
        if max(min(down, 32 - down), min(across, 32 - across)) >= 6
    ]
    assert peaks(torch.tensor(sr), torch.tensor(hr)).item() == pytest.approx(np.mean(costs))


def test_its_derivative_is_that_of_finite_differences():
    torch.manual_seed(0)
    sr = torch.randn(1, 1, 32, 32, dtype=torch.float64, requires_grad=True)
    hr = 0.5 * torch.randn(1, 1, 32, 32, dtype=torch.float64)
    assert torch.autograd.gradcheck(lambda x: peaks(x, hr), sr, fast_mode=True)


def test_flat_pictures_have_a_derivative_and_bf16_is_measured_in_fp32():
    flat = torch.zeros(1, 3, 32, 48, requires_grad=True)
    peaks(flat, torch.zeros(1, 3, 32, 48)).backward()
    assert torch.isfinite(flat.grad).all()
    sr = (noise(1) + weave(128, 20)).to(torch.bfloat16).requires_grad_()
    cost = peaks(sr, noise(0).float())
    cost.backward()
    assert cost.item() == pytest.approx(peaks(sr.double(), noise(0)).item(), rel=1e-3)
    assert torch.isfinite(sr.grad).all()
    assert sr.grad.abs().max() > 0


def test_what_holds_no_window_is_refused():
    with pytest.raises(SizeError, match="32 px or more"):
        peaks(torch.zeros(1, 3, 31, 64), torch.zeros(1, 3, 31, 64))
