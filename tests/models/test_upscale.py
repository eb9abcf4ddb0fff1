import pytest
import torch
import torch.nn.functional as F
from helpers.small_networks import FAMILY, SMALL, randomised
from hypothesis import given
from hypothesis import strategies as st

from clearzoom.models.registry import build
from clearzoom.models.upscale import convolution_before_shuffle, prelu_one


@pytest.mark.parametrize("name", FAMILY)
@pytest.mark.parametrize("norm", ["affine", "none", "batch"])
@pytest.mark.parametrize("scale", [2, 3, 4])
def test_the_fused_form_is_the_plain_one_in_values_and_gradients(name, norm, scale):
    net = randomised(build(name, scale, SMALL | {"norm": norm, "dilations": [1, 2]}).double())
    x = torch.rand(2, 3, 5, 6, dtype=torch.float64) - 0.5
    target = torch.randn(2, 3, 5 * scale, 6 * scale, dtype=torch.float64)
    results = []
    for form in (net.forward, net.forward_fused):
        net.zero_grad()
        x.requires_grad_().grad = None
        y = form(x)
        ((y - target) ** 2).mean().backward()
        results.append([y.detach(), x.grad, *(p.grad.clone() for p in net.parameters())])
    for plain, fused in zip(*results, strict=True):
        torch.testing.assert_close(fused, plain, rtol=1e-9, atol=1e-12)


@given(st.integers(1, 3), st.integers(1, 4), st.integers(2, 4), st.integers(1, 5))
def test_a_convolution_moves_before_the_shuffle(outputs, channels, factor, side):
    weight = torch.randn(outputs, channels, 3, 3, dtype=torch.float64)
    phases = torch.randn(factor**2, 1, channels, side, side + 1, dtype=torch.float64)
    full = F.pixel_shuffle(phases.permute(1, 2, 0, 3, 4).flatten(1, 2), factor)
    before = sum(
        F.conv2d(phase, moved, padding=1)
        for phase, moved in zip(phases, convolution_before_shuffle(weight, factor), strict=True)
    )
    torch.testing.assert_close(F.pixel_shuffle(before, factor), F.conv2d(full, weight, padding=1))


def test_prelu_has_torch_s_values_and_gradients():
    x = torch.randn(2, 3, 4, 5, dtype=torch.float64, requires_grad=True)
    slope = torch.tensor([0.3], dtype=torch.float64, requires_grad=True)
    torch.testing.assert_close(prelu_one(x, slope), F.prelu(x, slope))
    assert torch.autograd.gradcheck(prelu_one, (x, slope))
