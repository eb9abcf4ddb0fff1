import numpy as np
import pytest
from skimage.metrics import structural_similarity

from clearzoom.errors import SizeError
from clearzoom.metrics.protocol import crop_to_multiple, score, shave
from clearzoom.metrics.psnr import psnr, rmse_percent
from clearzoom.metrics.ssim import ssim, ssim_maps


def test_one_level_shift_gives_the_known_psnr(photo):
    dark = np.minimum(photo, 254)
    assert psnr(dark.astype(float), dark + 1.0) == pytest.approx(48.13, abs=0.005)
    # Luma moves by 218.999... / 255 levels when R, G and B move by one.
    assert score(dark, dark + 1, 4).psnr_db == pytest.approx(49.45, abs=0.005)


def test_equal_pictures_score_best(photo):
    best = score(photo, photo, 4)
    assert best.psnr_db == float("inf")
    assert best.ssim == pytest.approx(1)
    assert best.rmse_percent == 0


def test_rmse_percent_is_the_psnr_on_another_scale(random):
    a, b = random.uniform(0, 255, (2, 20, 20))
    assert psnr(a, b) == pytest.approx(-20 * np.log10(rmse_percent(a, b) / 100))


def test_ssim_agrees_with_scikit_image(random, photo):
    a = photo[..., 1].astype(float)
    b = np.clip(a + random.normal(0, 12, a.shape), 0, 255)
    _, full = structural_similarity(
        a,
        b,
        data_range=255,
        gaussian_weights=True,
        sigma=1.5,
        use_sample_covariance=False,
        full=True,
    )
    inside = full[5:-5, 5:-5]
    np.testing.assert_allclose(ssim_maps(a, b).ssim, inside, atol=1e-9)
    assert ssim(a, b) == pytest.approx(inside.mean())


def test_ssim_parts_tell_apart_what_changed(photo):
    a = photo[..., 1].astype(float)
    brighter, flatter = ssim_maps(a, a + 20), ssim_maps(a, (a - a.mean()) * 0.5 + a.mean())
    assert brighter.luminance.mean() < 0.999
    np.testing.assert_allclose(brighter.contrast, 1)
    np.testing.assert_allclose(brighter.structure, 1, atol=1e-6)
    assert flatter.contrast.mean() < 0.95 < flatter.structure.mean()


def test_sizes_are_checked():
    picture = np.zeros((20, 20, 3), np.uint8)
    with pytest.raises(SizeError, match="leaves nothing"):
        shave(np.zeros((8, 20)), 4)
    with pytest.raises(SizeError, match="cannot compare"):
        score(picture, picture[:10], 2)
    with pytest.raises(SizeError, match="smaller than scale"):
        crop_to_multiple(picture[:3], 4)
    with pytest.raises(SizeError, match="11x11"):
        score(picture[:16], picture[:16], 4)
    assert crop_to_multiple(picture, 3).shape == (18, 18, 3)
