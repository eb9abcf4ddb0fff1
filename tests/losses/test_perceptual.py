import pytest
import torch
from safetensors.torch import save_file

from clearzoom.errors import ConfigError, SizeError
from clearzoom.losses.features import FeatureNetwork, random_weights
from clearzoom.losses.perceptual import DEEPEST, FEATURE_SCALE, Perceptual


@pytest.fixture(scope="module")
def vgg19():
    return random_weights("vgg19", 3)


def two(side=20, dtype=torch.float32):
    generator = torch.Generator().manual_seed(0)
    both = torch.rand(2, 2, 3, side, side, generator=generator, dtype=dtype) - 0.5
    return both[0], both[1]


def test_known_answer(vgg19):
    sr, hr = two()
    layers = {"conv5_4": 1.0, "conv2_2": 0.25}
    features = FeatureNetwork("vgg19", layers, vgg19)
    a, b = features(sr), features(hr)
    assert a["conv5_4"].shape == (2, 512, 1, 1)
    assert a["conv2_2"].shape == (2, 128, 10, 10)
    by_hand = sum(
        weight * ((a[name] - b[name]) ** 2).sum() / a[name].numel() / 12.75**2
        for name, weight in layers.items()
    )
    loss = Perceptual("vgg19", layers, vgg19)(sr, hr)
    assert loss.shape == ()
    assert loss.item() == pytest.approx(by_hand.item(), rel=1e-5)
    assert pytest.approx(0.006, abs=2e-4) == FEATURE_SCALE**2  # the paper's factor


def test_by_default_it_is_the_paper_s_layer(vgg19):
    assert DEEPEST == {"vgg16": "conv5_3", "vgg19": "conv5_4", "alexnet": "conv5"}
    sr, hr = two()
    assert Perceptual(weights=vgg19)(sr, hr) == Perceptual("vgg19", {"conv5_4": 1.0}, vgg19)(sr, hr)


@pytest.mark.slow
@pytest.mark.parametrize(
    "layers", [{"conv5_4": 1.0}, {"conv2_2": 1.0}, {"conv2_2": 1, "conv4_1": 9}]
)
def test_derivatives_are_those_of_finite_differences(vgg19, layers):
    loss = Perceptual("vgg19", layers, vgg19).double()
    sr, hr = two(dtype=torch.float64)
    sr.requires_grad_()
    loss(sr, hr).backward()
    generator = torch.Generator().manual_seed(1)
    for _ in range(3):
        way = torch.randn(sr.shape, generator=generator, dtype=torch.float64)
        step = 1e-7
        with torch.no_grad():
            slope = (loss(sr + step * way, hr) - loss(sr - step * way, hr)) / (2 * step)
        assert (sr.grad * way).sum().item() == pytest.approx(slope.item(), rel=1e-4)


def test_the_truth_gets_no_gradient_and_memory_holds_no_weights(vgg19):
    loss = Perceptual("vgg19", {"conv1_2": 1.0}, vgg19)
    sr, hr = two()
    sr.requires_grad_()
    hr.requires_grad_()
    loss(sr, hr).backward()
    assert hr.grad is None
    assert sr.grad is not None
    assert loss.state_dict() == {}
    assert list(loss.parameters()) == []


def test_a_path_of_safetensors_will_do(vgg19, tmp_path):
    path = tmp_path / "vgg19.safetensors"
    save_file(vgg19, path)
    sr, hr = two()
    from_file = Perceptual("vgg19", {"conv2_2": 1.0}, path)
    assert from_file(sr, hr) == Perceptual("vgg19", {"conv2_2": 1.0}, vgg19)(sr, hr)


def test_errors(vgg19):
    loss = Perceptual("vgg19", {"conv1_1": 1.0}, vgg19)
    sr, hr = two()
    with pytest.raises(SizeError, match="cannot compare"):
        loss(sr, hr[..., 1:])
    for weight in (0, -1, float("nan"), float("inf")):
        with pytest.raises(ConfigError, match="must be a positive number"):
            Perceptual("vgg19", {"conv1_1": weight}, vgg19)
    with pytest.raises(ConfigError, match="no feature network vgg17; there are vgg16, vgg19"):
        Perceptual("vgg17")


@pytest.mark.slow
def test_vgg16_as_fetched_tells_blur_from_sharp(fetched_weights, photo):
    """With real weights; a blurred copy is farther at every layer than one less blurred."""
    hr = torch.from_numpy(photo[100:196, 150:246].copy()).permute(2, 0, 1)[None] / 255 - 0.5
    blurred = [
        torch.nn.functional.avg_pool2d(hr, size, 1, size // 2, count_include_pad=False)
        for size in (3, 7)
    ]
    for layer in ("conv1_2", "conv2_2", "conv3_3", "conv4_3", "conv5_3"):
        loss = Perceptual("vgg16", {layer: 1.0})
        less, more = (loss(sr, hr).item() for sr in blurred)
        assert 0 < less < more, layer
