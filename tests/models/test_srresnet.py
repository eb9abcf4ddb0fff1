import pytest
import torch
from helpers.small_networks import FAMILY, SMALL, randomised

from clearzoom.errors import ConfigError, UnknownModelError
from clearzoom.models.count import count
from clearzoom.models.registry import NETWORKS, build

SWITCHES = [
    {"norm": "batch"},
    {"norm": "instance"},
    {"norm": "group"},
    {"norm": "layer"},
    {"norm": "none"},
    {"norm": "affine"},
    {"depthwise_upscaling": True},
    {"narrow_channels": 16},
    {"dilations": [1, 2], "dilate": "both"},
    {"dilations": [3], "dilate": "first"},
    {"output_activation": "tanh"},
    {"head_kernel": 5},
    {"tail_kernel": 3},
]


@pytest.mark.parametrize(
    ("name", "parameters", "macc", "flops"),
    [
        ("srresnet", 1_546_754, 9_094_381_568, "18.19697"),
        ("srresnet-slim", 642_050, 2_758_885_376, "5.52910"),
    ],
)
def test_counts_give_every_digit_of_the_table(name, parameters, macc, flops):
    counted = count(build(name), 64, 64)
    assert (counted.parameters, counted.macc) == (parameters, macc)
    assert f"{counted.flops / 1e9:.5f}" == flops


def test_slim_without_norms_has_the_known_parameters():
    assert count(build("srresnet-slim", settings={"norm": "none"}), 64, 64).parameters == 637_826


@pytest.mark.parametrize("change", SWITCHES, ids=str)
@pytest.mark.parametrize("scale", [2, 3, 4])
def test_each_switch_alone_builds_and_keeps_the_size_rule(change, scale):
    net = build("srresnet", scale, SMALL | change).eval()
    # One pixel has no variance over the picture.
    smallest = (1, 2) if change.get("norm") in ("instance", "group") else (1, 1)
    for height, width in (smallest, (5, 7)):
        assert net(torch.zeros(1, 3, height, width)).shape == (1, 3, scale * height, scale * width)


def test_the_seven_switches_lead_from_srresnet_to_slim():
    slim = NETWORKS["srresnet-slim"][1]
    changed = {
        k: v for k, v in slim.model_dump().items() if v != getattr(NETWORKS["srresnet"][1], k)
    }
    assert set(changed) == {
        "norm",
        "depthwise_upscaling",
        "narrow_channels",
        "dilations",
        "output_activation",
        "head_kernel",
        "tail_kernel",
    }
    assert count(build("srresnet", settings=changed), 64, 64).parameters == 642_050


@pytest.mark.slow
@pytest.mark.parametrize("name", FAMILY)
@pytest.mark.parametrize("scale", [2, 3, 4])
@pytest.mark.parametrize("more", [{"dilations": [1, 2]}, {"dilations": [2], "dilate": "first"}])
def test_reach_is_what_the_gradient_shows(name, scale, more):
    net = build(name, scale, SMALL | {"norm": "affine", "activation": "silu"} | more).double()
    net = randomised(net)
    reach = net.reach_px
    side = 2 * reach + 5
    middle = side // 2
    seen = torch.zeros(side, side)
    for phase in range(scale):
        x = torch.randn(1, 3, side, side, dtype=torch.float64, requires_grad=True)
        net(x)[0, :, middle * scale + phase, middle * scale + phase].sum().backward()
        seen += x.grad[0].abs().sum(0)
    rows = torch.nonzero(seen.sum(1)).flatten()
    assert (middle - rows.min().item(), rows.max().item() - middle) in {
        (reach, reach),
        (reach, reach - 1),
        (reach - 1, reach),
    }


@pytest.mark.slow
@pytest.mark.parametrize("name", FAMILY)
@pytest.mark.parametrize("scale", [2, 3, 4])
def test_a_fresh_network_is_near_linear_interpolation(name, scale, photo):
    net = build(name, scale, {"norm": "affine", "activation": "leaky_relu", "dilations": [1]})
    net.start(0)
    lr = torch.from_numpy(photo[100:130, 100:130].copy()).permute(2, 0, 1)[None] / 255 - 0.5
    linear = torch.nn.functional.interpolate(lr, scale_factor=float(scale), mode="bilinear")
    with torch.no_grad():
        difference = (net(lr) - linear)[..., 8:-8, 8:-8]
    assert difference.abs().mean() < 0.1


def test_unknown_names_and_settings_are_refused():
    with pytest.raises(UnknownModelError, match="srresnet-slim"):
        build("srgan")
    with pytest.raises(ConfigError, match="dilatoins"):
        build("srresnet", settings={"dilatoins": [1]})
