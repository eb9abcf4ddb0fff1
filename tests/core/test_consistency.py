import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clearzoom.core.consistency import back_project
from clearzoom.core.resize import enlarge_bicubic, reduce_for_protocol, resize
from clearzoom.errors import SizeError


@pytest.mark.parametrize("scale", [2, 3, 4])
def test_the_reduced_result_is_the_picture(photo, scale):
    lr = reduce_for_protocol(photo[: 24 * scale * 2, : 30 * scale * 2], scale)
    sr = enlarge_bicubic(lr, scale)
    height, width = lr.shape[:2]

    def difference(picture):
        return np.abs(resize(picture, height, width) - lr)

    better = back_project(sr.astype(np.float32), lr.astype(np.float32), 8, 0, 255)
    assert difference(better).mean() < 0.25 * difference(sr).mean()
    assert difference(better).mean() < 0.5
    assert difference(better).max() < 2


@given(level=st.floats(0, 1), scale=st.sampled_from([2, 3, 4]))
def test_flat_fields_stay_and_nothing_leaves_the_range(level, scale):
    lr = np.full((5, 7, 3), level, np.float32)
    sr = np.full((5 * scale, 7 * scale, 3), level, np.float32)
    np.testing.assert_allclose(back_project(sr, lr, 2, 0, 1), level, atol=1e-6)
    wild = back_project(sr * 9 - 4, lr, 3, 0, 1)
    assert wild.min() >= 0
    assert wild.max() <= 1


def test_other_shapes_are_refused():
    with pytest.raises(SizeError, match="no enlargement"):
        back_project(np.zeros((9, 8)), np.zeros((4, 4)), 1, 0, 1)
