import pytest
import torch

from clearzoom.losses.pixel import PIXEL_LOSSES, SMOOTH_L1_BETA


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("l1", 0.15),
        ("l2", 0.025),
        # |d| = 0.1 and 0.2 lie on the straight part.
        ("smooth_l1", 0.15 - SMOOTH_L1_BETA / 2),
    ],
)
def test_known_answers(name, value):
    sr, hr = torch.tensor([0.1, 0.7]), torch.tensor([0.2, 0.5])
    assert PIXEL_LOSSES[name](sr, hr).item() == pytest.approx(value)


def test_smooth_l1_is_a_parabola_within_a_level():
    d = SMOOTH_L1_BETA / 2
    loss = PIXEL_LOSSES["smooth_l1"](torch.tensor([d]), torch.zeros(1))
    assert loss.item() == pytest.approx(d**2 / (2 * SMOOTH_L1_BETA))


@pytest.mark.parametrize("name", PIXEL_LOSSES)
def test_derivatives_are_those_of_finite_differences(name):
    sr = torch.randn(30, dtype=torch.float64, requires_grad=True)
    hr = torch.randn(30, dtype=torch.float64)
    assert torch.autograd.gradcheck(lambda x: PIXEL_LOSSES[name](x, hr), sr)
