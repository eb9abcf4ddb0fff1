import pytest
import torch

from clearzoom.errors import InputError, SizeError
from clearzoom.losses.pitch import pitch

GRID = torch.tensor([[0.02, 0.0], [0.0, -0.02]])


def test_a_pattern_in_every_lr_px_costs_its_mean_size():
    hr = torch.zeros(1, 3, 32, 48)
    assert pitch(hr + GRID.repeat(16, 24), hr, 2).item() == pytest.approx(0.01)


def test_brightness_and_what_hr_shows_alike_cost_nothing():
    torch.manual_seed(0)
    hr = torch.rand(1, 3, 32, 32)
    assert pitch(hr + 0.1, hr, 4).item() == pytest.approx(0, abs=1e-6)
    assert pitch(hr, hr, 4).item() == 0


def test_texture_costs_little_beside_a_pattern_of_its_size():
    torch.manual_seed(0)
    hr = torch.zeros(4, 3, 64, 64)
    noise = 0.02 * torch.randn(hr.shape)
    pattern = 0.02 * torch.randn(4, 4).repeat(16, 16)
    assert pitch(hr + noise, hr, 4) < pitch(hr + pattern, hr, 4) / 6


def test_patterns_of_two_blocks_do_not_cancel():
    hr = torch.zeros(1, 1, 16, 32)
    grid = GRID.repeat(8, 16)
    grid[:, 16:] *= -1
    assert pitch(hr + grid, hr, 2).item() == pytest.approx(0.01)


def test_its_derivative_is_that_of_finite_differences():
    torch.manual_seed(0)
    sr = torch.randn(1, 1, 17, 16, dtype=torch.float64, requires_grad=True)
    hr = torch.randn(1, 1, 17, 16, dtype=torch.float64)
    assert torch.autograd.gradcheck(lambda x: pitch(x, hr, 2), sr)


def test_what_has_no_pitch_is_refused():
    with pytest.raises(SizeError, match="32 px or more"):
        pitch(torch.zeros(1, 3, 31, 64), torch.zeros(1, 3, 31, 64), 4)
    with pytest.raises(InputError, match="scale is 1"):
        pitch(torch.zeros(1, 3, 64, 64), torch.zeros(1, 3, 64, 64), 1)
