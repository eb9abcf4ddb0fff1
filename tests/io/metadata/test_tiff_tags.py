import contextlib
import io
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, TiffImagePlugin

from clearzoom.io.metadata.blocks import Metadata, read_metadata
from clearzoom.io.metadata.tiff_tags import ASCII, Tag, describes, packed_tags, read_tags
from clearzoom.io.picture import Picture
from clearzoom.io.writing import write_picture

TITLE = "Zoë\0".encode("utf-16-le")
ARTIST = "Zoë".encode() + b"\0"


def described(order):
    """An EXIF block with tags beyond a camera's."""
    tags = [
        (0x010D, 2, 9, b"page.tif\0"),
        (0x013B, 2, len(ARTIST), ARTIST),
        (0x013C, 2, 4, b"mac\0"),
        (0x4746, 3, 1, struct.pack(order + "H", 5)),
        (0x9C9B, 1, len(TITLE), TITLE),
        (0x0111, 4, 1, struct.pack(order + "I", 8)),
    ]
    directory, values, at = b"", b"", 8 + 2 + 12 * len(tags) + 4
    for number, kind, count, data in tags:
        where = data.ljust(4, b"\0")
        if len(data) > 4:
            where = struct.pack(order + "I", at + len(values))
            values += data
        directory += struct.pack(order + "HHI", number, kind, count) + where
    head = b"II*\0" if order == "<" else b"MM\0*"
    head += struct.pack(order + "IH", 8, len(tags))
    return head + directory + bytes(4) + values


EXPECTED = [
    Tag(0x010D, 2, 9, b"page.tif\0"),
    Tag(0x013B, 2, len(ARTIST), ARTIST),
    Tag(0x013C, 2, 4, b"mac\0"),
    Tag(0x4746, 3, 1, b"\5\0"),
    Tag(0x9C9B, 1, len(TITLE), TITLE),
]


@pytest.mark.parametrize("order", "<>")
def test_what_describes_is_read_byte_for_byte(order):
    assert list(read_tags(io.BytesIO(described(order)), describes)) == EXPECTED
    packed = b"II*\0\x08\0\0\0" + packed_tags(EXPECTED, 8)
    assert list(read_tags(io.BytesIO(packed), describes)) == EXPECTED


@pytest.mark.parametrize("order", "<>")
def test_tags_go_from_jpeg_to_tiff_and_back(tmp_path, photo, order):
    block = described(order)
    write_picture(tmp_path / "p.tif", Picture(photo[:9, :9], metadata=Metadata(block)))
    with (tmp_path / "p.tif").open("rb") as file:
        assert list(read_tags(file, describes)) == EXPECTED
    kept, problems = read_metadata(tmp_path / "p.tif")
    assert not problems
    assert list(read_tags(io.BytesIO(kept.exif), describes)) == EXPECTED
    with Image.open(tmp_path / "p.tif") as picture:
        picture.load()
        assert picture.getexif()[0x4746] == 5


def test_a_place_on_a_map_is_said(tmp_path, photo):
    tags = TiffImagePlugin.ImageFileDirectory_v2()
    tags.tagtype[33550] = 12
    tags[33550] = (1.0, 1.0, 0.0)
    Image.fromarray(photo[:9, :9]).save(tmp_path / "map.tif", tiffinfo=tags)
    assert read_metadata(tmp_path / "map.tif")[1] == ["the place on a map (GeoTIFF) is not kept"]


@given(st.binary(max_size=90), st.sampled_from([b"II*\0", b"MM\0*", b"II+\0", b"MM\0+", b""]))
def test_any_bytes_are_read_or_refused(tail, head):
    with contextlib.suppress(ValueError):
        for tag in read_tags(io.BytesIO(head + tail), lambda number, kind: True):
            assert tag.kind != ASCII or len(tag.data) == tag.count
