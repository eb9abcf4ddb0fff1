import numpy as np
import pytest

from clearzoom.core.colour import luma_bt601


@pytest.mark.parametrize(
    ("rgb", "luma"),
    [
        ((0, 0, 0), 16),
        ((255, 255, 255), 235),
        ((255, 0, 0), 16 + 65.481),
        ((0, 255, 0), 16 + 128.553),
        ((0, 0, 255), 16 + 24.966),
    ],
)
def test_known_answers(rgb, luma):
    assert luma_bt601(np.array(rgb, np.uint8)) == pytest.approx(luma)
