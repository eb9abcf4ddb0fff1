import pytest
import torch

from clearzoom.losses.pixel import LEVEL, charbonnier, l1, l2, smooth_l1

KNOWN = {
    l1: 0.15,
    l2: 0.025,
    # |d| = 0.1 and 0.2 lie on the straight part.
    smooth_l1: 0.15 - LEVEL / 2,
    charbonnier: ((0.01 + LEVEL**2) ** 0.5 + (0.04 + LEVEL**2) ** 0.5) / 2,
}


@pytest.mark.parametrize("loss", KNOWN)
def test_known_answers(loss):
    sr, hr = torch.tensor([0.1, 0.7]), torch.tensor([0.2, 0.5])
    assert loss(sr, hr).item() == pytest.approx(KNOWN[loss])


def test_smooth_l1_is_a_parabola_within_a_level():
    d = LEVEL / 2
    loss = smooth_l1(torch.tensor([d]), torch.zeros(1))
    assert loss.item() == pytest.approx(d**2 / (2 * LEVEL))


@pytest.mark.parametrize("loss", KNOWN)
def test_derivatives_are_those_of_finite_differences(loss):
    sr = torch.randn(30, dtype=torch.float64, requires_grad=True)
    hr = torch.randn(30, dtype=torch.float64)
    assert torch.autograd.gradcheck(lambda x: loss(x, hr), sr)
