import pytest
import torch

from clearzoom.losses.edge import edge
from clearzoom.losses.frequency import frequency


def test_a_ramp_s_slope_is_known_and_a_shift_of_levels_costs_nothing():
    hr = torch.zeros(2, 3, 8, 9)
    ramp = hr + 0.01 * torch.arange(9.0)
    assert edge(ramp, hr).item() == pytest.approx(0.01 / 2)  # across, and none along
    assert edge(ramp.transpose(2, 3), hr.transpose(2, 3)).item() == pytest.approx(0.01 / 2)
    assert edge(ramp + 0.3, ramp).item() == pytest.approx(0, abs=1e-7)


def test_one_wave_is_two_frequencies():
    hr = torch.zeros(1, 1, 8, 16)
    wave = hr + 0.1 * torch.cos(2 * torch.pi * 3 * torch.arange(16.0) / 16)
    # Each of the two has 0.05 * sqrt(8 * 16) by the orthonormal transform, of 128 frequencies.
    assert frequency(wave, hr).item() == pytest.approx(2 * 0.05 * 128**0.5 / 128, rel=1e-4)


@pytest.mark.parametrize("loss", [edge, frequency])
def test_derivatives_are_those_of_finite_differences(loss):
    torch.manual_seed(0)
    sr = torch.randn(2, 2, 6, 5, dtype=torch.float64, requires_grad=True)
    hr = torch.randn(2, 2, 6, 5, dtype=torch.float64)
    assert torch.autograd.gradcheck(lambda x: loss(x, hr), sr)
