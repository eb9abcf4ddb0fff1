import numpy as np
import pytest
import pyvips
from hypothesis import given
from hypothesis import strategies as st

from clearzoom.errors import UnreadablePictureError
from clearzoom.io.reading import decode, open_picture
from clearzoom.io.windows import WINDOW_PX, read_windows, window_grid


@given(width=st.integers(1, 3000), height=st.integers(1, 3000))
def test_windows_lie_inside_and_apart(width, height):
    places = window_grid(width, height)
    assert 1 <= len(places) <= 16
    for place in places:
        assert place.width == min(width, WINDOW_PX)
        assert place.height == min(height, WINDOW_PX)
        assert 0 <= place.left <= width - place.width
        assert 0 <= place.top <= height - place.height
    seen = np.zeros((height, width), np.uint8)
    for place in places:
        seen[place.top : place.top + place.height, place.left : place.left + place.width] += 1
    assert seen.max() == 1


@pytest.mark.parametrize("shape", [(300, 451), (50, 451), (97, 30), (1, 1)])
@pytest.mark.parametrize("orientation", [1, 6, 3])
@pytest.mark.parametrize("suffix", [".png", ".jpg", ".tif", ".webp"])
def test_the_px_are_those_of_the_decoded_picture(tmp_path, photo, suffix, orientation, shape):
    path = tmp_path / f"picture{suffix}"
    image = pyvips.Image.new_from_array(photo[: shape[0], : shape[1]]).copy()
    image.set_type(pyvips.GValue.gint_type, "orientation", orientation)
    image.write_to_file(str(path))
    source = open_picture(path)
    whole = decode(source)
    windows = read_windows(source)
    places = window_grid(source.width_px, source.height_px)
    for window, at in zip(windows, places, strict=True):
        expected = whole[at.top : at.top + at.height, at.left : at.left + at.width]
        np.testing.assert_array_equal(window, expected)


@pytest.mark.parametrize("bands", [1, 2, 3, 4])
@pytest.mark.parametrize("deep", [True, False])
def test_all_kinds_of_px(tmp_path, random, bands, deep):
    dtype = np.uint16 if deep else np.uint8
    samples = random.integers(0, np.iinfo(dtype).max, (120, 210, bands)).astype(dtype)
    path = tmp_path / "picture.png"
    kinds = {1: "b-w", 2: "b-w", 3: "srgb", 4: "srgb"}
    if deep:
        kinds = {1: "grey16", 2: "grey16", 3: "rgb16", 4: "rgb16"}
    image = pyvips.Image.new_from_array(samples, interpretation=kinds[bands])
    image.write_to_file(str(path))
    source = open_picture(path)
    first, at = read_windows(source)[0], window_grid(210, 120)[0]
    expected = samples[at.top : at.top + at.height, at.left : at.left + at.width]
    np.testing.assert_array_equal(first, expected)


def test_a_truncated_file_is_an_error_that_names_it(tmp_path, photo):
    path = tmp_path / "cut.png"
    pyvips.Image.new_from_array(photo).write_to_file(str(path))
    path.write_bytes(path.read_bytes()[:60_000])
    with pytest.raises(UnreadablePictureError, match=r"cut\.png"):
        read_windows(open_picture(path))
