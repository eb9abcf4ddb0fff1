import pytest
import torch
from helpers.small_networks import randomised
from hypothesis import given, settings
from hypothesis import strategies as st

from clearzoom.models.count import count
from clearzoom.models.registry import build


def test_it_stays_inside_its_budget():
    counted = count(build("fast"), 256, 256)
    assert counted.parameters <= 200_000
    assert counted.macc <= 10e9


@settings(deadline=None, max_examples=20)
@given(
    scale=st.sampled_from([2, 3, 4]),
    height=st.integers(1, 12),
    width=st.integers(1, 12),
    seed=st.integers(0, 1000),
)
def test_folded_is_unfolded_in_values_and_gradients(scale, height, width, seed):
    net = randomised(build("fast", scale), seed).double()
    x = torch.rand(1, 3, height, width, dtype=torch.float64) - 0.5
    results, gradients = [], []
    for form in (net.forward, net.forward_fused):
        net.zero_grad()
        y = form(x)
        y.square().mean().backward()
        results.append(y.detach())
        gradients.append([p.grad.clone() for p in net.parameters()])
    assert results[0].shape == (1, 3, scale * height, scale * width)
    torch.testing.assert_close(*results)
    for ours, theirs in zip(*gradients, strict=True):
        torch.testing.assert_close(ours, theirs)


def test_folded_is_unfolded_in_single_precision():
    net = build("fast")
    net.start(1)
    x = torch.rand(1, 3, 40, 50) - 0.5
    with torch.no_grad():
        assert (net(x) - net.forward_fused(x)).abs().max() <= 1e-4


@pytest.mark.parametrize("scale", [2, 3, 4])
def test_reach_is_what_the_gradient_shows(scale):
    net = randomised(build("fast", scale, {"channels": 8, "convolutions": 3}).double())
    reach = net.reach_px
    side = 2 * reach + 5
    x = torch.randn(1, 3, side, side, dtype=torch.float64, requires_grad=True)
    middle = side // 2
    pixel = middle * scale
    net(x)[0, :, pixel : pixel + scale, pixel : pixel + scale].sum().backward()
    seen = torch.nonzero(x.grad[0].abs().sum((0, 2))).flatten()
    assert (seen.min().item(), seen.max().item()) == (middle - reach, middle + reach)


@pytest.mark.parametrize("scale", [2, 3, 4])
def test_a_fresh_network_is_near_linear_interpolation(scale, photo):
    net = build("fast", scale)
    net.start(0)
    lr = torch.from_numpy(photo[100:130, 100:130].copy()).permute(2, 0, 1)[None] / 255 - 0.5
    linear = torch.nn.functional.interpolate(lr, scale_factor=float(scale), mode="bilinear")
    with torch.no_grad():
        base = torch.nn.functional.pixel_shuffle(net.base(lr), scale)
        difference = (net(lr) - linear)[..., 8:-8, 8:-8]
    assert difference.abs().mean() < 0.1
    torch.testing.assert_close(
        base[..., scale:-scale, scale:-scale], linear[..., scale:-scale, scale:-scale]
    )
