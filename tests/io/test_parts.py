import io

import pytest
import pyvips
from hypothesis import given
from hypothesis import strategies as st

from clearzoom.io.parts import Parts
from clearzoom.io.reading import open_picture


def parts_of(content):
    return Parts(lambda offset, size: content[offset : offset + size], len(content))


@given(
    st.binary(max_size=200),
    st.lists(
        st.tuples(st.just("read"), st.integers(-1, 300))
        | st.tuples(st.just("seek"), st.integers(0, 300))
    ),
)
def test_it_is_read_as_a_file_is(content, calls):
    ours, file = parts_of(content), io.BytesIO(content)
    for call, number in calls:
        assert getattr(ours, call)(number) == getattr(file, call)(number)
        assert ours.tell() == file.tell()
    for offset, whence in ((0, 2), (-len(content) // 2, 2), (3, 1)):
        assert ours.seek(offset, whence) == file.seek(offset, whence)


def test_another_has_a_position_of_its_own():
    one = parts_of(b"abcdef")
    one.seek(3)
    other = one.again()
    assert (other.read(2), one.read(2)) == (b"ab", b"de")


@pytest.mark.parametrize("options", [{}, {"tile": True, "pyramid": True}, {"compression": "jpeg"}])
def test_a_tiff_in_parts_is_the_picture_of_the_file(tmp_path, photo, options):
    image = pyvips.Image.new_from_array(photo).copy(xres=11.811, yres=11.811)
    image.set_type(
        pyvips.GValue.blob_type, "icc-profile-data", pyvips.Operation.call("profile_load", "p3")
    )
    image.set_type(pyvips.GValue.blob_type, "xmp-data", b"<x:xmpmeta xmlns:x='adobe:ns:meta/'/>")
    path = tmp_path / "a.tif"
    image.tiffsave(str(path), **options)
    read = []

    def read_at(offset, size):
        read.append(size)
        return path.read_bytes()[offset : offset + size]

    found = open_picture(path, parts=Parts(read_at, path.stat().st_size))
    assert found == open_picture(path)
    assert read
