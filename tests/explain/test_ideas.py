"""What the pages say is so."""

from itertools import pairwise

import numpy as np
import pytest
import torch

from clearzoom.core.colour import luma_bt601
from clearzoom.explain import ablation, losses, metrics, perceptual, pixel_shuffle, table
from clearzoom.losses.pixel import LEVEL, charbonnier, l1, l2, smooth_l1
from clearzoom.metrics.psnr import psnr
from clearzoom.models.count import Count, count
from clearzoom.models.registry import build
from clearzoom.models.srresnet import SLIM, SRResNetConfig


def test_the_table_is_the_chapters_to_the_last_digit():
    text = table.explain().markdown()
    for row in (
        "| parameters | 1,546,754 | 642,050 |",
        "| MACC | 9,094,381,568 | 2,758,885,376 |",
        "| FLOPs | 18.19697 G | 5.52910 G |",
    ):
        assert row in text


@pytest.mark.parametrize("name", table.NETWORKS)
def test_the_parts_sum_to_the_whole(name):
    parts = table.counts_by_part(name).values()
    whole = count(build(name), 64, 64)
    summed = Count(*(sum(getattr(part, key) for part in parts) for key in vars(whole)))
    assert summed == whole


def test_pixel_shuffle_is_that_of_torch(random):
    for factor in (2, 3):
        features = random.random((2 * factor**2, 4, 5), dtype=np.float32)
        assert pixel_shuffle.agrees_with_torch(features, factor)
    text = pixel_shuffle.explain().markdown()
    assert "(64, 128, 128)" in text
    assert "(16, 256, 128, 2)" in text
    assert "equal, value for value" in text


def test_curves_are_the_formulas_that_are_written():
    d = torch.tensor([-0.5, -0.003, -0.001, 0.001, 0.003, 0.5], dtype=torch.float64)
    beta = LEVEL
    small = d.abs() < beta
    wanted = {
        l1: (d.abs(), d.sign()),
        l2: (d**2, 2 * d),
        smooth_l1: (
            torch.where(small, d**2 / (2 * beta), d.abs() - beta / 2),
            (d / beta).clamp(-1, 1),
        ),
        charbonnier: ((d**2 + LEVEL**2).sqrt(), d / (d**2 + LEVEL**2).sqrt()),
    }
    for one in losses.LOSSES:
        for got, formula in zip(losses.curve(one.loss, d), wanted[one.loss], strict=True):
            torch.testing.assert_close(got, formula, rtol=1e-9, atol=1e-12)


def test_l2_wants_the_mean_and_l1_the_median():
    levels = (0, 0, 30, 200, 255)
    assert losses.best_answer(l2, levels) == 97
    assert losses.best_answer(l1, levels) == 30


def test_all_damages_have_one_psnr(photo):
    picture = np.ascontiguousarray(photo[60:124, 110:174])
    for damage, most in metrics.DAMAGES.values():
        copy = metrics.damaged(picture, damage, most, 30.0)
        assert psnr(luma_bt601(copy), luma_bt601(picture)) == pytest.approx(30.0, abs=0.05)


def test_light_is_seen_by_l_and_noise_by_s():
    rows = [line.split(" | ") for line in metrics.explain().markdown().splitlines()]
    parts = {
        row[0][2:]: [float(cell.strip(" |")) for cell in row[3:7]]
        for row in rows[:40]
        if row[0][2:] in ("brighter", "noisy", "blurred")
    }
    assert parts["brighter"][0] < 1
    assert parts["brighter"][1:3] == [1, 1]
    assert parts["noisy"][2] < parts["noisy"][1] < parts["noisy"][0]
    assert parts["brighter"][3] > parts["noisy"][3] > parts["blurred"][3]


@pytest.mark.slow
@pytest.mark.usefixtures("fetched_weights")
def test_the_blurred_copy_wins_by_position_and_loses_by_lpips(photo):
    true, (sharp, soft) = perceptual.copies(photo)
    assert np.array_equal(sharp.picture[:-2, :-2], true[2:, 2:])
    assert soft.psnr_db > sharp.psnr_db + 3
    assert soft.rmse_percent < sharp.rmse_percent
    assert soft.maps.ssim.mean() > sharp.maps.ssim.mean()
    assert soft.maps.contrast.mean() < sharp.maps.contrast.mean()
    assert soft.distance > 5 * sharp.distance


def test_the_ablation_changes_one_setting_a_row_and_ends_at_slim():
    stages = list(ablation.stages().values())
    built = [SRResNetConfig(**settings).model_dump() for settings in stages]
    for before, after in pairwise(built):
        assert sum(before[key] != after[key] for key in before) == 1
    assert SRResNetConfig(**stages[-1]) == SLIM
    assert len(stages) == 8
