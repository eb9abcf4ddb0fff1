import pytest
import torch

from clearzoom.errors import SizeError
from clearzoom.models.discriminator import Discriminator


def test_the_paper_s_has_its_layers():
    net = Discriminator(96)
    convolutions = [m for m in net.modules() if isinstance(m, torch.nn.Conv2d)]
    assert [c.out_channels for c in convolutions] == [64, 64, 128, 128, 256, 256, 512, 512]
    assert [c.stride[0] for c in convolutions] == [1, 2] * 4
    assert sum(isinstance(m, torch.nn.BatchNorm2d) for m in net.modules()) == 7
    assert [m.out_features for m in net.modules() if isinstance(m, torch.nn.Linear)] == [1024, 1]
    assert net(torch.zeros(2, 3, 96, 96)).shape == (2, 1)


def test_spectral_norm_bounds_every_layer():
    torch.manual_seed(0)
    net = Discriminator(32, 8, spectral=True)
    for _ in range(50):  # each forward pass in training makes its estimate better
        net(torch.zeros(2, 3, 32, 32))
    net.eval()
    layers = [m for m in net.modules() if hasattr(m, "parametrizations")]
    assert len(layers) == 10
    for layer in layers:
        largest = torch.linalg.matrix_norm(layer.weight.flatten(1), 2).item()
        assert largest == pytest.approx(1, abs=0.05)
    assert not any(isinstance(m, torch.nn.BatchNorm2d) for m in net.modules())


def test_a_map_has_a_logit_for_each_16_px_that_depends_on_what_is_near():
    torch.manual_seed(0)
    net = Discriminator(256, 4, spectral=True, logit_map=True).eval()
    assert sum(hasattr(m, "parametrizations") for m in net.modules()) == 8  # the last is free
    picture = torch.rand(1, 3, 256, 256)
    assert net(picture).shape == (1, 1, 16, 16)
    elsewhere = picture.clone()
    elsewhere[..., 192:] = 0
    same = (net(picture) == net(elsewhere)).squeeze()
    assert same[:, :8].all()
    assert not same[:, 12:].any()


@pytest.mark.slow
@pytest.mark.parametrize("logit_map", [False, True])
def test_it_can_tell_noise_from_flat(logit_map):
    torch.manual_seed(0)
    net = Discriminator(16, 8, spectral=logit_map, logit_map=logit_map)
    optimiser = torch.optim.Adam(net.parameters(), 1e-3)
    for _ in range(150):
        noise, flat = (
            torch.randn(8, 3, 16, 16) / 5,
            torch.rand(8, 3, 1, 1).expand(8, 3, 16, 16) - 0.5,
        )
        loss = torch.nn.functional.softplus(-net(noise)) + torch.nn.functional.softplus(net(flat))
        optimiser.zero_grad()
        loss.mean().backward()
        optimiser.step()
    assert loss.mean() < 0.3


@pytest.mark.parametrize("patch_px", [8, 40])
def test_other_patches_are_refused(patch_px):
    with pytest.raises(SizeError, match="multiple of 16"):
        Discriminator(patch_px)
