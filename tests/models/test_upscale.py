import pytest
import torch
import torch.nn.functional as F
from helpers.small_networks import FAMILY, SMALL, randomised
from hypothesis import given
from hypothesis import strategies as st

from clearzoom.models.registry import build
from clearzoom.models.upscale import (
    UpscaleStage,
    _Interleave,
    _planes_of_taps,
    convolution_before_shuffle,
    interleave,
    memory_format_of,
    prelu_one,
    stage_phases,
)


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


@pytest.mark.parametrize("scale", [2, 3, 4])
@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_channels_last_has_the_values_and_gradients_of_contiguous(scale, precision):
    net = randomised(build("srresnet-slim", scale, SMALL | {"norm": "affine"}))
    given = torch.rand(2, 3, 5, 6) - 0.5
    target = torch.randn(2, 3, 5 * scale, 6 * scale)
    results = []
    for layout in (torch.contiguous_format, torch.channels_last):
        net.to(memory_format=layout).zero_grad()
        x = given.detach().contiguous(memory_format=layout).requires_grad_()
        with torch.autocast("cpu", torch.bfloat16, enabled=precision == "bf16"):
            y = net.forward_fused(x)
        ((y.float() - target) ** 2).mean().backward()
        results.append([y.detach(), x.grad, *(p.grad.clone() for p in net.parameters())])
    for one, other in zip(*results, strict=True):
        if precision == "fp32":
            torch.testing.assert_close(other, one, rtol=1e-4, atol=1e-5)
        else:
            assert (other - one).norm() <= 0.05 * one.norm() + 1e-6


@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_the_upscaling_end_keeps_the_memory_format_between_its_stages(layout):
    stage = UpscaleStage(16, 2, "affine", depthwise=True)
    x = torch.rand(2, 16, 6, 7).contiguous(memory_format=layout).requires_grad_()
    phases = stage_phases(x, stage)
    formats = [memory_format_of(phase) for phase in phases]
    fine = _Interleave.apply(2, *phases)
    formats.append(memory_format_of(fine))
    formats += [memory_format_of(g) for g in torch.autograd.grad(fine.sum(), phases)]
    assert set(formats) == {layout}
    assert torch.equal(fine, interleave(phases, 2))
    planes = _planes_of_taps(x, torch.rand(27, 16))
    assert planes.shape == (2, 27, 6, 7)
    assert planes.stride()[-2:] == (7, 1)


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


@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_the_gradient_of_prelu_s_slope_is_summed_exactly_in_bf16(layout):
    x = torch.randn(4, 64, 64, 64).bfloat16().contiguous(memory_format=layout).requires_grad_()
    grad = torch.rand_like(x)
    slope = torch.tensor([0.25], requires_grad=True)
    found = torch.autograd.grad(prelu_one(x, slope), slope, grad)[0]
    true = (grad.double() * x.detach().double().clamp(max=0)).sum()
    assert found.item() == pytest.approx(true.item(), rel=1e-4)
