import pytest
import torch
from helpers.small_networks import randomised
from hypothesis import given, settings
from hypothesis import strategies as st

from clearzoom.models.count import count
from clearzoom.models.estimator import LevelEstimator
from clearzoom.models.photo import PLAIN_LEVEL
from clearzoom.models.registry import build

SMALL_CHAIN = {"channels": 8, "convolutions": 3}


def test_it_is_no_larger_than_a_person_waits_for():
    counted = count(build("photo"), 256, 256)
    assert counted.macc <= 30e9
    assert counted.parameters <= 400_000


@settings(deadline=None, max_examples=20)
@given(
    scale=st.sampled_from([2, 3, 4]),
    level=st.floats(0, 1.5),
    seed=st.integers(0, 1000),
)
def test_at_a_fixed_level_it_is_a_plain_chain(scale, level, seed):
    net = randomised(build("photo", scale, SMALL_CHAIN), seed).double()
    x = torch.rand(2, 3, 7, 9, dtype=torch.float64) - 0.5
    levels = torch.full((2,), level, dtype=torch.float64)
    plain = net.at_level(level).double()
    for form in (net.forward, net.forward_fused):
        torch.testing.assert_close(form(x, levels), plain(x), rtol=1e-5, atol=1e-6)


def test_each_picture_of_a_batch_has_its_own_level():
    net = randomised(build("photo", 2, SMALL_CHAIN))
    x = torch.rand(1, 3, 8, 8).expand(2, 3, 8, 8) - 0.5
    with torch.no_grad():
        both = net(x, torch.tensor([0.0, 1.0]))
        assert (both[0] - both[1]).abs().max() > 1e-3
        torch.testing.assert_close(both[1:], net(x[1:], torch.tensor([1.0])))
        torch.testing.assert_close(net(x[:1]), net(x[:1], torch.tensor([PLAIN_LEVEL])))


def test_all_shifts_are_learnt():
    net = randomised(build("photo", 4, SMALL_CHAIN))
    net(torch.rand(2, 3, 8, 8), torch.tensor([0.3, 0.9])).square().mean().backward()
    assert all(shift.grad.abs().max() > 0 for shift in net.shifts)


@pytest.mark.parametrize("scale", [2, 4])
def test_reach_is_what_the_gradient_shows(scale):
    net = randomised(build("photo", scale, SMALL_CHAIN).double())
    reach = net.reach_px
    side, middle = 2 * reach + 5, reach + 2
    x = torch.randn(1, 3, side, side, dtype=torch.float64, requires_grad=True)
    pixel = middle * scale
    net(x)[0, :, pixel : pixel + scale, pixel : pixel + scale].sum().backward()
    seen = torch.nonzero(x.grad[0].abs().sum((0, 2))).flatten()
    assert (seen.min().item(), seen.max().item()) == (middle - reach, middle + reach)


@pytest.mark.parametrize("height", [1, 2, 31])
def test_the_estimator_takes_any_size(height):
    estimator = LevelEstimator()
    assert estimator(torch.rand(3, 3, height, 5)).shape == (3,)


def test_a_fresh_network_does_not_depend_on_the_level(photo):
    net = build("photo", 4)
    net.start(0)
    lr = torch.from_numpy(photo[100:130, 100:130].copy()).permute(2, 0, 1)[None] / 255 - 0.5
    linear = torch.nn.functional.interpolate(lr, scale_factor=4.0, mode="bilinear")
    with torch.no_grad():
        at_0, at_1 = net(lr, torch.zeros(1)), net(lr, torch.ones(1))
    torch.testing.assert_close(at_0, at_1)
    assert (at_0 - linear)[..., 8:-8, 8:-8].abs().mean() < 0.1
