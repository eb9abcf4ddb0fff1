import pytest
import torch

from clearzoom.models.layers import PixelLayerNorm, make_norm


@pytest.mark.parametrize(
    ("kind", "local"),
    [("affine", True), ("layer", True), ("none", True), ("instance", False), ("group", False)],
)
def test_local_norms_do_not_see_other_pixels(kind, local):
    norm = make_norm(kind, 8).eval()
    x = torch.randn(1, 8, 6, 6)
    changed = x.clone()
    changed[..., 0, 0] += 5
    same = torch.allclose(norm(x)[..., 1:, 1:], norm(changed)[..., 1:, 1:])
    assert same is local


@pytest.mark.parametrize("kind", ["affine", "batch", "instance", "group", "layer"])
def test_a_norm_has_two_parameters_a_channel(kind):
    assert sum(p.numel() for p in make_norm(kind, 16).parameters()) == 32


def test_layer_norm_is_over_the_channels_at_each_pixel():
    y = PixelLayerNorm(32)(torch.randn(2, 32, 3, 4) * 7 + 3)
    torch.testing.assert_close(y.mean(1), torch.zeros(2, 3, 4), atol=1e-5, rtol=0)
    torch.testing.assert_close(y.var(1, unbiased=False), torch.ones(2, 3, 4), atol=1e-3, rtol=0)
