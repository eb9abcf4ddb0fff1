"""Metrics and losses compare what can be compared; another pair is no number but an error."""

import numpy as np
import pytest
import torch

from clearzoom.errors import InputError, SizeError
from clearzoom.losses.pixel import charbonnier, l1, l2, smooth_l1
from clearzoom.losses.structure import ms_ssim_loss, ssim_loss
from clearzoom.metrics.protocol import score, shave
from clearzoom.metrics.psnr import mean_squared_error, psnr, rmse_percent
from clearzoom.metrics.ssim import ssim

LOSSES = (l1, l2, smooth_l1, charbonnier, ssim_loss, ms_ssim_loss)


@pytest.mark.parametrize("metric", [mean_squared_error, psnr, rmse_percent, ssim])
def test_levels_are_compared_as_numbers_of_one_shape(metric, random):
    a, b = random.integers(0, 256, (2, 16, 16), np.uint8)
    assert metric(a, b) == metric(a.astype(float), b.astype(float))  # no difference wraps
    for wrong in (a[:, :1], a[0], a[:0], np.zeros((0, 0))):
        with pytest.raises(SizeError):
            metric(a, wrong)
    for wrong in (None, "4", [[1.0]], a.astype("O"), a * 1j, a > 3, np.full((16, 16), np.nan)):
        with pytest.raises(InputError):
            metric(a, wrong)
        with pytest.raises(InputError):
            metric(wrong, a)


def test_only_pictures_of_the_protocol_are_scored(random):
    hr = random.integers(0, 256, (24, 24, 3), np.uint8)
    for wrong in (hr / 255, hr.astype(np.uint16), hr[..., 0], hr[..., :1], None, hr.tolist()):
        for pair in ((hr, wrong), (wrong, hr), (wrong, wrong)):
            with pytest.raises(InputError, match="uint8 RGB"):
                score(*pair, 2)
    with pytest.raises(SizeError):
        score(hr, hr[:-1], 2)
    with pytest.raises(SizeError):
        shave(hr, -1)


@pytest.mark.parametrize("loss", LOSSES)
def test_losses_compare_tensors_of_one_shape(loss):
    sr = torch.zeros(1, 3, 176, 176)
    assert float(loss(sr, sr)) == pytest.approx(0, abs=1 / 200)
    for wrong in (sr[:, :1], sr[..., :1], sr[0], sr[..., :0]):
        with pytest.raises(SizeError):
            loss(sr, wrong)
    for wrong in (None, 4, np.zeros((1, 3, 176, 176)), sr.to(torch.uint8)):
        with pytest.raises(InputError):
            loss(sr, wrong)


def test_widths_and_scales_of_losses_have_bounds():
    sr = torch.zeros(1, 3, 176, 176)
    for wrong in (0, -1, float("nan"), float("inf")):
        with pytest.raises(InputError):
            smooth_l1(sr, sr, wrong)
        with pytest.raises(InputError):
            charbonnier(sr, sr, wrong)
    for wrong in (0, 6, -1, 2.5):
        with pytest.raises(InputError):
            ms_ssim_loss(sr, sr, wrong)
