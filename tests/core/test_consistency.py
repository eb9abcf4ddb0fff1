import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clearzoom.core import consistency
from clearzoom.core.consistency import LEFT_ALONE, back_project, remainder_kernel
from clearzoom.core.resize import enlarge_bicubic, reduce_for_protocol, resize
from clearzoom.errors import SizeError


def planes(picture):
    return (picture.transpose(2, 0, 1) / 255 - 0.5).astype(np.float32)


def reduced(sr, height, width):
    return resize(sr.transpose(1, 2, 0), height, width).transpose(2, 0, 1)


@pytest.mark.parametrize("scale", [2, 3, 4])
def test_the_reduced_result_is_the_picture(photo, scale):
    lr = reduce_for_protocol(photo[: 24 * scale * 2, : 30 * scale * 2], scale)
    sr = planes(enlarge_bicubic(lr, scale))
    height, width = lr.shape[:2]
    lr = planes(lr)
    better = back_project(sr, lr)
    assert np.abs(reduced(sr, height, width) - lr).max() > 4 / 255
    assert np.abs(reduced(better, height, width) - lr).max() <= LEFT_ALONE + 0.26 / 255


@given(st.data())
def test_one_round_is_exact_where_nothing_clips(data):
    """Also at the borders, for any picture: what is off by more is off by 0.45 levels."""
    scale = data.draw(st.sampled_from([2, 3, 4]))
    height, width = data.draw(st.integers(1, 80)), data.draw(st.integers(1, 12))
    random = np.random.default_rng(data.draw(st.integers(0, 2**32 - 1)))
    lr = random.uniform(-0.02, 0.02, (3, height, width)).astype(np.float32)
    sr = random.uniform(-0.02, 0.02, (3, height * scale, width * scale)).astype(np.float32)
    better = back_project(sr, lr)
    left = np.clip(lr - reduced(sr, height, width), -LEFT_ALONE, LEFT_ALONE)
    np.testing.assert_allclose(lr - reduced(better, height, width), left, atol=2e-5)


@pytest.mark.parametrize("scale", [2, 3, 4])
def test_the_kernel_adds_evenly(scale):
    sums = remainder_kernel(scale).reshape(-1, scale).sum(axis=0)
    np.testing.assert_allclose(sums, 1, atol=1e-4)


def test_where_levels_clip_the_rounds_go_on(random):
    hr = (
        np.where(random.random((64, 64, 3)) < 0.5, 0, 255)
        .astype(np.uint8)
        .repeat(4, 0)
        .repeat(4, 1)
    )
    lr = planes(reduce_for_protocol(hr, 4))
    start = planes(enlarge_bicubic(reduce_for_protocol(hr, 4), 4))
    off = np.abs(reduced(np.clip(start, -0.5, 0.5), 64, 64) - lr)
    better = back_project(start, lr)
    assert np.abs(better).max() <= 0.5
    left = np.abs(reduced(better, 64, 64) - lr)
    assert left.mean() < off.mean() / 5
    assert left.max() < 6 / 255


@given(level=st.floats(-0.5, 0.5), scale=st.sampled_from([2, 3, 4]))
def test_flat_fields_stay(level, scale):
    lr = np.full((3, 5, 7), level, np.float32)
    sr = np.full((3, 5 * scale, 7 * scale), level, np.float32)
    np.testing.assert_allclose(back_project(sr, lr), level, atol=1e-6)


def test_other_shapes_are_refused():
    with pytest.raises(SizeError, match="no enlargement"):
        back_project(np.zeros((3, 9, 8), np.float32), np.zeros((3, 4, 4), np.float32))


def test_repairing_only_where_the_range_clips_is_repairing_everywhere(monkeypatch, photo):
    lr = photo.astype(np.float32).transpose(2, 0, 1) / 510 - 0.25
    lr[:, 20:24, 30:34] = 0.5  # white dots, which overshoot into the clipped range
    lr[:, 120, 200] = 0.5
    sr = lr.repeat(4, axis=1).repeat(4, axis=2)
    looked = []
    places = consistency._places

    def counted(clipped):
        found = list(places(clipped))
        looked.append(sum((w[0].stop - w[0].start) * (w[1].stop - w[1].start) for _, w in found))
        return found

    monkeypatch.setattr(consistency, "_places", counted)
    some = consistency.back_project(sr, lr)
    assert 0 < looked[0] < 300 * 451 / 2
    whole = (slice(0, 300), slice(0, 451))
    monkeypatch.setattr(consistency, "_places", lambda clipped: [(whole, whole)])
    everywhere = consistency.back_project(sr, lr)
    assert np.abs(some - everywhere).max() * 255 < 0.5
