"""Each fault does what its name says, and moves nothing."""

import numpy as np
import pytest

from clearzoom.io.faults import (
    blurred,
    defocused,
    sharpened,
    with_chroma_noise,
    with_noise,
    with_shot_noise,
)

BLURS = {
    "round": lambda p: blurred(p, 1.3),
    "small": lambda p: blurred(p, 0.4),
    "long": lambda p: blurred(p, 4.0, 0.5, 0.6),
    "disc": lambda p: defocused(p, 2.3),
    "large disc": lambda p: defocused(p, 6.0),
    "sharpened": lambda p: sharpened(p, 1.2, 1.0),
}
LUMA = np.array([0.299, 0.587, 0.114])


def point(picture_of, height=41, width=43):
    """What becomes of one bright px on grey, as shares of its light."""
    dot = np.full((height, width, 3), 30, np.uint8)
    dot[20, 21] = 254
    return (picture_of(dot)[..., 0].astype(float) - 30) / 224


@pytest.mark.parametrize("name", BLURS)
def test_nothing_shifts_and_flat_stays_flat(name):
    spread = point(BLURS[name])
    rows, columns = np.arange(41) - 20, np.arange(43) - 21
    assert abs(spread.sum(1) @ rows) < 0.05
    assert abs(spread.sum(0) @ columns) < 0.05
    flat = np.full((20, 30, 3), (0, 77, 255), np.uint8)
    np.testing.assert_array_equal(BLURS[name](flat), flat)


@pytest.mark.parametrize("name", BLURS)
def test_brightness_stays(photo, name):
    calm = photo // 2 + 60  # nothing clips
    assert abs(BLURS[name](calm).mean() - calm.mean()) < 0.1


@pytest.mark.parametrize(("along", "across", "angle"), [(1.5, 1.5, 0), (2.5, 0.8, 0.5)])
def test_a_gaussian_is_as_wide_as_is_said(along, across, angle):
    # A coarse scale: a soft spot's variances grow by those of the blur.
    y, x = np.mgrid[-30:31, -30:31].astype(float)
    spot = np.rint(250 * np.exp(-0.5 * (x**2 + y**2) / 25)).astype(np.uint8)
    after = blurred(spot[..., None].repeat(3, 2), along, across, angle)[..., 0].astype(float)
    u, v = x * np.cos(angle) + y * np.sin(angle), y * np.cos(angle) - x * np.sin(angle)
    for axis, sigma in ((u, along), (v, across)):
        before, now = ((p * axis**2).sum() / p.sum() for p in (spot.astype(float), after))
        assert now - before == pytest.approx(sigma**2, rel=0.15, abs=0.2)


def test_a_disc_is_flat_and_round():
    spread = point(lambda p: defocused(p, 4.0))
    y, x = np.mgrid[-20:21, -21:22]
    away = np.hypot(y, x)
    inside = spread[away < 3]
    assert np.ptp(inside) < 1.5 / 224
    assert inside.mean() == pytest.approx(1 / (np.pi * 16), abs=1 / 224)
    assert (spread[away > 5] == 0).all()
    assert point(lambda p: defocused(p, 0.4))[20, 21] == 1


def test_sharpening_adds_what_blurring_took(photo):
    soft = blurred(photo, 1.0)
    twice = sharpened(photo, 2.0, 1.0).astype(int)
    np.testing.assert_allclose(
        twice, np.clip(photo + 2.0 * (photo.astype(float) - soft), 0, 255), atol=0.51
    )


def test_noise_is_as_strong_as_is_said(random):
    grey = np.full((200, 200, 3), 120, np.uint8)
    for sigma in (0.5, 3, 20):
        noise = with_noise(grey, sigma, random).astype(float) - 120
        # Rounding adds a twelfth of a level's square.
        np.testing.assert_allclose(noise.std((0, 1)), np.hypot(sigma, 12**-0.5), rtol=0.03)
        assert abs(np.corrcoef(noise[..., 0].ravel(), noise[..., 1].ravel())[0, 1]) < 0.02
    same = with_noise(grey, 5, random, grey=True)
    assert np.ptp(same, axis=2).max() == 0


def test_shot_noise_grows_with_light(random):
    for level, share in ((255, 1.0), (64, 0.5), (0, 0.0)):
        flat = np.full((200, 200, 3), min(level, 200), np.uint8)
        noise = with_shot_noise(flat, 4, random).astype(float) - flat
        share = (min(level, 200) / 255) ** 0.5
        assert noise.std() == pytest.approx(4 * share, abs=0.15)
        assert abs(noise.mean()) < 0.1


@pytest.mark.parametrize("grain_px", [1, 2.5, 4])
def test_chroma_noise_leaves_luma(random, grain_px):
    grey = np.full((200, 240, 3), 120, np.uint8)
    noise = with_chroma_noise(grey, 6, random, grain_px).astype(float) - 120
    assert (noise @ LUMA).std() < 0.5
    red = noise[..., 0]
    assert red.std() == pytest.approx(6 * 1.402, rel=0.12)
    beside = np.corrcoef(red[:, 1:].ravel(), red[:, :-1].ravel())[0, 1]
    assert beside > 0.6 if grain_px > 2 else abs(beside) < 0.05


def test_noise_depends_on_its_generator_alone(photo):
    for fault in (with_noise, with_shot_noise, with_chroma_noise):
        one, again, other = (fault(photo, 4, np.random.default_rng(seed)) for seed in (1, 1, 2))
        np.testing.assert_array_equal(one, again)
        assert not np.array_equal(one, other)
        frozen = (fault(photo, 4, np.random.RandomState(1)) for _ in range(2))
        np.testing.assert_array_equal(*frozen)
