import pytest
import torch
from torch import nn

from clearzoom.errors import ConfigError, SizeError, WeightsError
from clearzoom.losses.features import (
    ARCHITECTURES,
    FeatureNetwork,
    convolutions,
    random_weights,
)
from clearzoom.losses.pretrained import load_weights

VGG19 = [64, 64, "M", 128, 128, "M", *[256] * 4, "M", *[512] * 4, "M", *[512] * 4]
VGG16 = [64, 64, "M", 128, 128, "M", *[256] * 3, "M", *[512] * 3, "M", *[512] * 3]


def as_torchvision(network):
    """The module ``features`` of torchvision, written down from its published source."""
    if network == "alexnet":
        return nn.Sequential(
            *(nn.Conv2d(3, 64, 11, 4, 2), nn.ReLU(), nn.MaxPool2d(3, 2)),
            *(nn.Conv2d(64, 192, 5, padding=2), nn.ReLU(), nn.MaxPool2d(3, 2)),
            *(nn.Conv2d(192, 384, 3, padding=1), nn.ReLU()),
            *(nn.Conv2d(384, 256, 3, padding=1), nn.ReLU()),
            *(nn.Conv2d(256, 256, 3, padding=1), nn.ReLU()),
        )
    layers, channels = [], 3
    for width in VGG19 if network == "vgg19" else VGG16:
        if width == "M":
            layers.append(nn.MaxPool2d(2, 2))
        else:
            layers += [nn.Conv2d(channels, width, 3, padding=1), nn.ReLU()]
            channels = width
    return nn.Sequential(*layers)


# Where torchvision's users find these layers.
NUMBERS = {
    "vgg19": {"conv1_2": 2, "conv2_2": 7, "conv3_4": 16, "conv4_4": 25, "conv5_4": 34},
    "vgg16": {"conv1_2": 2, "conv2_2": 7, "conv3_3": 14, "conv4_3": 21, "conv5_3": 28},
    "alexnet": {"conv1": 0, "conv2": 3, "conv3": 6, "conv4": 8, "conv5": 10},
}


@pytest.mark.parametrize("network", ARCHITECTURES)
def test_a_torchvision_file_gives_torchvision_s_features_before_activation(network, tmp_path):
    torch.manual_seed(0)
    theirs = as_torchvision(network)
    file = tmp_path / "weights.pth"
    state = {f"features.{name}": value for name, value in theirs.state_dict().items()}
    torch.save({**state, "classifier.0.weight": torch.zeros(2, 2)}, file)
    wanted = NUMBERS[network]
    net = FeatureNetwork(network, wanted, load_weights(network, file))
    picture = torch.rand(2, 3, 48, 37)
    found = net(picture - 0.5)
    assert list(found) == list(wanted)
    mean, std = torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])
    x = (picture - mean.view(3, 1, 1)) / std.view(3, 1, 1)
    for number, layer in enumerate(theirs):
        x = layer(x)
        for name in (name for name, place in wanted.items() if place == number):
            torch.testing.assert_close(found[name], x, rtol=1e-4, atol=1e-6)
            assert (found[name] < 0).any()


def test_it_runs_only_as_far_as_the_deepest_layer():
    weights = random_weights("vgg19", 0)
    net = FeatureNetwork("vgg19", ["conv2_2"], weights)
    assert [getattr(step, "name", "pool") for step in net.steps] == [
        *("conv1_1", "conv1_2", "pool", "conv2_1", "conv2_2")
    ]
    assert net(torch.zeros(1, 3, 20, 17))["conv2_2"].shape == (1, 128, 10, 8)
    assert sum(b.numel() for b in net.buffers()) < sum(w.numel() for w in weights.values()) / 50


@pytest.mark.parametrize(("network", "least"), [("vgg16", 16), ("vgg19", 16), ("alexnet", 31)])
def test_the_smallest_picture_gives_one_px(network, least):
    last = convolutions(network)[-1].name
    net = FeatureNetwork(network, [last], random_weights(network, 0))
    assert net.smallest_px == least
    assert net(torch.zeros(1, 3, least, least))[last].shape[-2:] == (1, 1)
    with pytest.raises(SizeError, match=f"{least} px is the least"):
        net(torch.zeros(1, 3, least, least - 1))


def test_nothing_in_it_can_be_trained_or_saved():
    net = FeatureNetwork("alexnet", ["conv2"], random_weights("alexnet", 0))
    assert list(net.parameters()) == []
    assert net.state_dict() == {}
    x = torch.zeros(1, 3, 31, 31, requires_grad=True)
    net(x)["conv2"].sum().backward()
    assert x.grad.abs().sum() > 0


def test_weights_that_are_given_stay_as_they_are():
    weights = random_weights("alexnet", 0)
    net = FeatureNetwork("alexnet", ["conv1"], weights)
    net.get_buffer("conv1_weight").zero_()
    assert weights["conv1.weight"].abs().sum() > 0


def test_random_weights_are_those_of_the_seed():
    a, b, c = (random_weights("alexnet", seed) for seed in (0, 0, 1))
    assert all(torch.equal(a[name], b[name]) for name in a)
    assert not torch.equal(a["conv1.weight"], c["conv1.weight"])
    assert a["conv3.weight"].std().item() == pytest.approx((2 / (192 * 9)) ** 0.5, rel=0.01)


def test_wrong_layers_and_weights_are_clear_errors():
    weights = random_weights("alexnet", 0)
    with pytest.raises(ConfigError, match="no layer 'conv5_4'; it has conv1, conv2"):
        FeatureNetwork("alexnet", ["conv5_4"], weights)
    with pytest.raises(ConfigError, match="no layer of alexnet is named"):
        FeatureNetwork("alexnet", [], weights)
    with pytest.raises(WeightsError, match=r"do not fit vgg16: conv1_1.weight is missing"):
        FeatureNetwork("vgg16", ["conv1_1"], weights)
    weights["conv1.bias"] = torch.zeros(3)
    with pytest.raises(WeightsError, match=r"conv1.bias is \(3,\) and not \(64,\)"):
        FeatureNetwork("alexnet", ["conv1"], weights)
