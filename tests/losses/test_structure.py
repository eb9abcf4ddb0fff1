import numpy as np
import pytest
import torch
from skimage.metrics import structural_similarity

from clearzoom.errors import SizeError
from clearzoom.losses.structure import _SCALE_WEIGHTS, ms_ssim_loss, ssim_loss
from clearzoom.metrics.ssim import ssim, ssim_maps


def patches(photo, side, noise=20):
    hr = photo[60 : 60 + side, 100 : 100 + side, 0].astype(float)
    sr = np.clip(hr + np.random.default_rng(0).normal(0, noise, hr.shape), 0, 255)
    return sr, hr


def tensor(plane):
    return torch.from_numpy(plane)[None, None] / 255 - 0.5


def test_it_is_the_metric(photo):
    sr, hr = patches(photo, 64)
    loss = ssim_loss(tensor(sr), tensor(hr)).item()
    assert loss == pytest.approx(1 - ssim(sr, hr), abs=1e-9)
    theirs = structural_similarity(
        sr, hr, data_range=255, gaussian_weights=True, use_sample_covariance=False, full=True
    )[1][5:-5, 5:-5].mean()
    assert loss == pytest.approx(1 - theirs, abs=1e-6)


@pytest.mark.parametrize("scales", [1, 3, 5])
def test_ms_ssim_is_the_product_over_halved_pictures(photo, scales):
    sr, hr = patches(photo, 176)
    weights = np.array(_SCALE_WEIGHTS[:scales])
    expected = 1.0
    a, b = sr, hr
    for index, weight in enumerate(weights / weights.sum()):
        maps = ssim_maps(a, b)
        seen = maps.ssim if index == scales - 1 else maps.contrast * maps.structure
        expected *= seen.mean() ** weight
        a, b = (x.reshape(len(x) // 2, 2, -1, 2).mean((1, 3)) if len(x) > 11 else x for x in (a, b))
    assert ms_ssim_loss(tensor(sr), tensor(hr), scales).item() == pytest.approx(1 - expected)


@pytest.mark.parametrize("loss", [ssim_loss, lambda a, b: ms_ssim_loss(a, b, 2)])
def test_derivatives_and_ends(loss):
    torch.manual_seed(0)
    hr = torch.rand(1, 2, 24, 23, dtype=torch.float64) - 0.5
    sr = (hr + 0.1 * torch.randn_like(hr)).requires_grad_()
    assert torch.autograd.gradcheck(lambda x: loss(x, hr), sr, fast_mode=True)
    assert loss(hr, hr).item() == pytest.approx(0, abs=1e-9)
    assert loss(-hr, hr).item() > 0.9


@pytest.mark.parametrize("loss", [ssim_loss, lambda a, b: ms_ssim_loss(a, b, 3)])
def test_mixed_precision_changes_nothing(photo, loss):
    sr, hr = (tensor(plane).float() for plane in patches(photo, 64, noise=2))
    exact = loss(sr, hr).item()
    with torch.autocast("cpu", torch.bfloat16):
        assert loss(sr, hr).item() == exact


def test_patches_that_are_too_small_are_told(photo):
    with pytest.raises(SizeError, match=r"176 px or more in HR, these have 64"):
        ms_ssim_loss(*(tensor(x) for x in patches(photo, 64)))
