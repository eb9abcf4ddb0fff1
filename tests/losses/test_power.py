import numpy as np
import pytest
import torch

from clearzoom.errors import SizeError
from clearzoom.losses.power import power

FLOOR = (0.5 / 255) ** 2 / 1024


def weave(side_px, per_64_px):
    """A cosine of a hundredth of the range with so many periods in 64 px, down and across."""
    at = torch.arange(side_px, dtype=torch.float64) * (2 * torch.pi * per_64_px / 64)
    return 0.01 * torch.cos(at[:, None] + at)[None, None]


@pytest.mark.parametrize("per_64_px", [10, 16, 20, 24, 27])
def test_a_pattern_of_any_pitch_costs_far_more_than_other_noise(per_64_px):
    torch.manual_seed(0)
    hr = 0.01 * torch.randn(1, 1, 128, 128, dtype=torch.float64)
    made = 0.01 * torch.randn(1, 1, 128, 128, dtype=torch.float64)
    assert power(made + weave(128, per_64_px), hr) > 5 * power(made, hr)


def test_what_is_weaker_or_elsewhere_costs_nothing():
    hr = weave(96, 20)
    moved = torch.roll(hr, (3, 5), (2, 3))
    assert power(hr, hr).item() == 0
    assert power(0.5 * hr + 0.2, hr).item() == pytest.approx(0, abs=1e-9)
    assert power(moved, hr).item() < 1e-3 * power(hr, torch.zeros_like(hr)).item()


def test_it_is_the_excess_of_welchs_spectrum():
    random = np.random.default_rng(0)
    sr, hr = random.normal(0, 0.1, (2, 1, 2, 64, 80))
    window = np.hanning(33)[:-1]

    def spectrum(plane):
        parts = np.lib.stride_tricks.sliding_window_view(plane, (32, 32))[::16, ::16]
        centred = parts - parts.mean((2, 3), keepdims=True)
        seen = np.abs(np.fft.rfft2(centred * np.outer(window, window))) ** 2
        return seen.mean((0, 1)) / (np.outer(window, window) ** 2).sum() / 1024

    ratios = [
        np.log(spectrum(a) + FLOOR) - np.log(spectrum(b) + FLOOR)
        for a, b in zip(sr[0], hr[0], strict=True)
    ]
    expected = np.square(np.maximum(ratios, 0)).mean()
    assert power(torch.tensor(sr), torch.tensor(hr)).item() == pytest.approx(expected)


def test_its_derivative_is_that_of_finite_differences():
    torch.manual_seed(0)
    sr = torch.randn(1, 1, 32, 32, dtype=torch.float64, requires_grad=True)
    hr = 0.5 * torch.randn(1, 1, 32, 32, dtype=torch.float64)
    assert torch.autograd.gradcheck(lambda x: power(x, hr), sr, fast_mode=True)


def test_equal_and_flat_pictures_have_a_derivative_and_bf16_is_taken():
    sr = torch.zeros(1, 3, 32, 48, dtype=torch.bfloat16, requires_grad=True)
    power(sr, torch.zeros(1, 3, 32, 48)).backward()
    assert torch.isfinite(sr.grad).all()


def test_what_holds_no_window_is_refused():
    with pytest.raises(SizeError, match="32 px or more"):
        power(torch.zeros(1, 3, 31, 64), torch.zeros(1, 3, 31, 64))
