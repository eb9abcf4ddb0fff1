"""Which way up HEIC and AVIF lie in their files."""

import numpy as np
import pillow_heif
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, features

from clearzoom.io.heif_boxes import applied_orientation
from clearzoom.io.picture_file import PictureFile
from clearzoom.io.placement import Placement, Rectangle
from clearzoom.io.reading import decode, open_picture


def stored():
    """128x64 px, black, with a red block of 32x16 px that begins at 32, 0."""
    px = np.zeros((64, 128, 3), np.uint8)
    px[:16, 32:64] = (255, 0, 0)
    return Image.fromarray(px)


@pytest.mark.parametrize("suffix", [".heic", ".avif"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_places_are_found_in_the_upright_picture(tmp_path, suffix, orientation):
    assert features.check("avif")
    pillow_heif.register_heif_opener()
    exif = Image.Exif()
    exif[0x0112] = orientation
    path = tmp_path / f"p{suffix}"
    stored().save(path, exif=exif.tobytes())
    source = open_picture(path)
    assert source.orientation == orientation
    size = source.width_px, source.height_px
    placement = Placement(size, source.orientation, size, (0, 0), size)
    assert placement.stored_px == (128, 64)
    box = placement.box_share(Rectangle(0.25, 0, 0.5, 0.25))
    px = decode(source)[..., 0] > 128
    rows, columns = px.any(1).nonzero()[0], px.any(0).nonzero()[0]
    found = (columns[0], rows[0], columns[-1] + 1, rows[-1] + 1)
    expected = np.multiply((box.left, box.top, box.right, box.bottom), (*size, *size))
    np.testing.assert_allclose(found, expected, atol=2)  # both compress


@pytest.fixture(scope="module")
def turned(tmp_path_factory):
    exif = Image.Exif()
    exif[0x0112] = 6
    path = tmp_path_factory.mktemp("boxes") / "p.avif"
    stored().save(path, exif=exif.tobytes())
    return path, path.read_bytes()


@given(at=st.integers(0, 400), patch=st.binary(min_size=1, max_size=6))
def test_a_damaged_file_says_something(turned, at, patch):
    path, whole = turned
    spoilt = bytearray(whole)
    spoilt[at : at + len(patch)] = patch
    path.write_bytes(spoilt)
    with PictureFile(path) as file:
        assert applied_orientation(file.heif_properties) in range(1, 9)
    path.write_bytes(whole[:at])
    with PictureFile(path) as file:
        assert applied_orientation(file.heif_properties) in (1, 6)
    assert applied_orientation([]) == 1
