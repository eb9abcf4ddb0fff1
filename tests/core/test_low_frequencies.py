import numpy as np
import pytest
from helpers.squares import means_of_squares
from hypothesis import given, settings
from hypothesis import strategies as st

from clearzoom.core.low_frequencies import REACH_PX, low_frequency_part


@pytest.mark.parametrize(
    ("period_px", "least", "most"), [(64, 0.9, 1), (32, 0.6, 0.95), (8, 0, 0.1), (4, -0.01, 0.01)]
)
def test_broad_waves_come_back_and_narrow_ones_do_not(period_px, least, most):
    wave = 0.5 / 255 * np.cos(2 * np.pi * np.arange(128) / period_px).astype(np.float32)
    waves = np.outer(wave, wave)[None] * 255 * 2
    inner = slice(32, 96)
    back, given = low_frequency_part(waves)[0, inner, inner], waves[0, inner, inner]
    assert least <= (back * given).sum() / (given**2).sum() <= most


@given(
    height=st.integers(16, 60),
    width=st.integers(16, 60),
    noise_levels=st.floats(0, 7),
    tilt_levels=st.floats(-20, 20),
    seed=st.integers(0, 2**32 - 1),
)
@settings(max_examples=50)
def test_no_square_is_left_with_a_mean(height, width, noise_levels, tilt_levels, seed):
    random = np.random.default_rng(seed)
    levels = tilt_levels * np.linspace(-1, 1, height)[:, None] + random.normal(
        0, noise_levels, (3, height, width)
    )
    remainder = (levels / 255).astype(np.float32)
    left = means_of_squares(remainder - low_frequency_part(remainder))
    assert np.abs(left).max() * 255 <= 0.5


def test_of_strong_noise_a_tenth_of_it_may_be_left(random):
    remainder = random.normal(0, 20 / 255, (3, 120, 120)).astype(np.float32)
    broad = low_frequency_part(remainder)
    assert np.abs(means_of_squares(remainder - broad)).max() * 255 <= 2
    assert broad.std() < remainder.std() / 4


def test_it_looks_no_further_than_its_reach(random):
    one = random.normal(0, 1 / 255, (1, 60, 70)).astype(np.float32)
    other = one.copy()
    other[0, 20, 10] += 0.2
    changed = np.abs(low_frequency_part(one) - low_frequency_part(other))[0] > 1e-5
    rows, columns = np.nonzero(changed)
    assert rows.max() <= 20 + REACH_PX
    assert rows.max() > 20 + REACH_PX // 2
    assert columns.max() <= 10 + REACH_PX


def test_it_does_not_depend_on_where_a_tile_begins(random):
    whole = random.normal(0, 3 / 255, (1, 90, 90)).astype(np.float32)
    part = low_frequency_part(np.ascontiguousarray(whole[:, 7:, 13:]))
    inner = slice(2 * REACH_PX, -2 * REACH_PX)
    expected = low_frequency_part(whole)[:, 7:, 13:]
    np.testing.assert_allclose(part[:, inner, inner], expected[:, inner, inner], atol=1e-6)
