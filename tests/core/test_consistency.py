import numpy as np
import pytest
from helpers.squares import means_of_squares
from hypothesis import given, settings
from hypothesis import strategies as st

from clearzoom.core import consistency
from clearzoom.core.back_projection import back_projection_kernel, enlarged
from clearzoom.core.consistency import LEFT_ALONE_LEVELS, made_consistent
from clearzoom.core.resize import enlarge_bicubic, reduce_for_protocol, resize
from clearzoom.engines.network import load_network
from clearzoom.errors import SizeError
from clearzoom.io.compression import compressed

LEFT_ALONE = np.float32(LEFT_ALONE_LEVELS / 255)
WAYS = ["full", 0.0, 2.0, 4.0, 8.0, "tones"]


def planes(picture):
    return (picture.transpose(2, 0, 1) / 255 - 0.5).astype(np.float32)


def reduced(sr, height, width):
    """As the protocol reduces: what leaves the range is clipped."""
    return np.clip(resize(sr.transpose(1, 2, 0), height, width).transpose(2, 0, 1), -0.5, 0.5)


@pytest.mark.parametrize("scale", [2, 3, 4])
def test_the_reduced_result_is_the_picture(photo, scale):
    lr = reduce_for_protocol(photo[: 24 * scale * 2, : 30 * scale * 2], scale)
    sr = planes(enlarge_bicubic(lr, scale))
    height, width = lr.shape[:2]
    lr = planes(lr)
    better = made_consistent(sr, lr, "full")
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
    better = made_consistent(sr, lr, "full")
    left = np.clip(lr - reduced(sr, height, width), -LEFT_ALONE, LEFT_ALONE)
    np.testing.assert_allclose(lr - reduced(better, height, width), left, atol=2e-5)


@pytest.mark.parametrize("scale", [2, 3, 4])
def test_the_kernel_adds_evenly(scale):
    sums = back_projection_kernel(scale).reshape(-1, scale).sum(axis=0)
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
    better = made_consistent(start, lr, "full")
    assert np.abs(better).max() <= 0.5
    left = np.abs(reduced(better, 64, 64) - lr)
    assert left.mean() < off.mean() / 5
    assert left.max() < 6 / 255


@given(
    scale=st.sampled_from([2, 3, 4]),
    height=st.integers(16, 70),
    width=st.integers(16, 70),
    drift=st.floats(-6, 6),
    tilt=st.floats(-6, 6),
    noise=st.floats(0, 4),
    way=st.sampled_from(WAYS),
    seed=st.integers(0, 2**32 - 1),
)
@settings(max_examples=40)
def test_the_mean_of_every_square_comes_back(scale, height, width, drift, tilt, noise, way, seed):
    """Of any picture in which nothing clips: brightness and colour cannot drift."""
    random = np.random.default_rng(seed)
    lr = random.uniform(-0.1, 0.1, (3, height, width)).astype(np.float32)
    off = drift + tilt * np.linspace(-1, 1, width) + random.normal(0, noise, lr.shape)
    sr = enlarged((lr - off / 255).astype(np.float32), scale)  # is off by just that
    left = lr - reduced(made_consistent(sr, lr, way), height, width)
    assert np.abs(means_of_squares(left)).max() * 255 <= 0.5


@pytest.mark.slow
@pytest.mark.parametrize("way", WAYS)
def test_the_mean_of_every_square_of_a_photograph_comes_back(photo, way):
    """Also where the input is JPEG 60, and the network darkens it by two levels."""
    crop = photo[60:200, 100:260]
    network = load_network("photo", 2)
    lr = 0.8 * planes(compressed(crop, "jpg", 60))
    sr = 0.8 * network.run(lr[None] / 0.8)[0] - 2 / 255
    before = lr - reduced(sr, *lr.shape[1:])
    left = lr - reduced(made_consistent(sr, lr, way), *lr.shape[1:])
    assert np.abs(means_of_squares(before)).max() * 255 > 2
    assert np.abs(means_of_squares(left)).max() * 255 <= 0.5


@pytest.mark.parametrize("dead_levels", [2.0, 4.0, 8.0])
def test_a_dead_zone_leaves_what_is_small_and_gives_back_what_is_large(random, dead_levels):
    lr = random.uniform(-0.1, 0.1, (3, 40, 50)).astype(np.float32)
    sr = random.uniform(-0.1, 0.1, (3, 160, 200)).astype(np.float32)
    before, left = (
        np.abs(lr - reduced(picture, 40, 50)) * 255
        for picture in (sr, made_consistent(sr, lr, dead_levels))
    )
    assert before.max() > 3 * dead_levels
    assert left.max() <= 1.5 * dead_levels
    assert left.mean() > dead_levels / 3


def test_tones_give_back_brightness_and_no_noise(photo, random):
    """Of noise a quarter at most comes back, of a change of brightness all."""
    lr = 0.6 * planes(photo[:100, :120])
    sr = lr.repeat(4, axis=1).repeat(4, axis=2)
    noise = random.normal(0, 8 / 255, lr.shape).astype(np.float32)
    added = made_consistent(sr, lr + noise, "tones") - made_consistent(sr, lr, "tones")
    assert added.std() < noise.std() / 4
    brighter = made_consistent(sr, lr + np.float32(5 / 255), "tones")
    np.testing.assert_allclose(brighter - made_consistent(sr, lr, "tones"), 5 / 255, atol=1e-5)


@given(
    level=st.floats(-0.5, 0.5),
    scale=st.sampled_from([2, 3, 4]),
    way=st.sampled_from([*WAYS, "none"]),
)
def test_flat_fields_stay(level, scale, way):
    lr = np.full((3, 5, 7), level, np.float32)
    sr = np.full((3, 5 * scale, 7 * scale), level, np.float32)
    np.testing.assert_allclose(made_consistent(sr, lr, way), level, atol=1e-6)


def test_none_gives_nothing_back(random):
    sr = random.uniform(-0.4, 0.4, (3, 20, 24)).astype(np.float32)
    lr = random.uniform(-0.4, 0.4, (3, 5, 6)).astype(np.float32)
    np.testing.assert_array_equal(made_consistent(sr, lr, "none"), sr)


def test_other_shapes_are_refused():
    with pytest.raises(SizeError, match="no enlargement"):
        made_consistent(np.zeros((3, 9, 8), np.float32), np.zeros((3, 4, 4), np.float32), "full")


@pytest.mark.slow
def test_repairing_only_where_the_range_clips_is_repairing_everywhere(monkeypatch, photo):
    lr = photo.astype(np.float32).transpose(2, 0, 1) / 510 - 0.25
    lr[:, 20:24, 30:34] = 0.5  # white dots, which overshoot into the clipped range
    lr[:, 120, 200] = 0.5
    sr = lr.repeat(4, axis=1).repeat(4, axis=2)
    looked = []
    places = consistency._repair_areas

    def counted(clipped):
        found = list(places(clipped))
        looked.append(sum((w[0].stop - w[0].start) * (w[1].stop - w[1].start) for _, w in found))
        return found

    monkeypatch.setattr(consistency, "_repair_areas", counted)
    some = made_consistent(sr, lr, "full")
    assert 0 < looked[0] < 300 * 451 / 2
    whole = (slice(0, 300), slice(0, 451))
    monkeypatch.setattr(consistency, "_repair_areas", lambda clipped: [(whole, whole)])
    everywhere = made_consistent(sr, lr, "full")
    assert np.abs(some - everywhere).max() * 255 < 0.5
