import numpy as np
import pytest

from clearzoom.core.noise import fine_contrast_levels, noise_levels
from clearzoom.core.resize import reduce_for_protocol


def planes(picture):
    return (picture.transpose(2, 0, 1) / 255 - 0.5).astype(np.float32)


@pytest.mark.parametrize("sigma", [2, 4, 8])
def test_noise_that_was_added_is_found(photo, random, sigma):
    lr = reduce_for_protocol(photo[:300, :448], 4) * 0.8 + 25
    noisy = planes(lr + random.normal(0, sigma, lr.shape))
    assert noise_levels([planes(lr)]) < 1.2
    assert noise_levels([noisy]) == pytest.approx(sigma, rel=0.25)


def test_more_noise_is_more(photo, random):
    lr = reduce_for_protocol(photo[:300, :448], 4) * 0.8 + 25
    noise = random.normal(0, 1, lr.shape)
    found = [noise_levels([planes(lr + sigma * noise)]) for sigma in (0, 1, 2, 4, 8, 16)]
    assert found == sorted(found)


def test_drawn_pictures_have_none(random):
    drawn = random.integers(0, 255, (12, 12, 3)).repeat(16, axis=0).repeat(16, axis=1)
    assert noise_levels([planes(drawn)]) == 0


def test_windows_that_are_too_small_say_nothing(random):
    assert noise_levels([random.random((3, 9, 90)).astype(np.float32)]) == 0
    assert noise_levels([]) == 0


@pytest.mark.parametrize("sigma", [1, 5, 20])
def test_the_fine_contrast_of_noise_is_its_deviation(random, sigma):
    noise = random.normal(0, sigma / 255, (3, 96, 96)).astype(np.float32)
    assert fine_contrast_levels(noise) == pytest.approx(sigma, rel=0.05)
    slope = np.broadcast_to(np.linspace(-0.5, 0.5, 96, dtype=np.float32), (3, 96, 96))
    assert fine_contrast_levels(slope) < 0.01
    assert fine_contrast_levels(noise[:, :2]) == 0
