import numpy as np
import pytest

from clearzoom.core.tone_curve import srgb_encoding, tone_curve_of


@pytest.mark.parametrize("gamma", [1.0, 1.8, 2.6])
@pytest.mark.parametrize("levels", [256, 65_536])
def test_every_level_comes_back(gamma, levels):
    tone = tone_curve_of(np.linspace(0, 1, levels) ** gamma)
    ramp = np.arange(levels)
    assert np.abs(tone.decode(tone.encode(ramp)) - ramp).max() < 0.45


def test_middle_grey_is_seen_as_srgb_has_it():
    tone = tone_curve_of(np.linspace(0, 1, 65_536))
    assert tone.encode(np.array([round(0.18 * 65_535)]))[0] == pytest.approx(0.4613, abs=0.01)
    assert srgb_encoding(np.array([0.18]))[0] == pytest.approx(0.4613, abs=1e-3)


def test_curves_like_srgb_are_left_alone():
    assert tone_curve_of(np.linspace(0, 1, 256) ** 2.2) is None
