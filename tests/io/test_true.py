"""What metadata says of the px is true for the px that are written."""

import contextlib
import io
import struct
import zlib
from dataclasses import replace
from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import ExifTags, Image

from clearzoom.io.metadata.blocks import Metadata, read_metadata, stated_dpi
from clearzoom.io.metadata.exif import updated_exif
from clearzoom.io.metadata.exif_resolution import exif_with_resolution
from clearzoom.io.metadata.transform import transform_metadata
from clearzoom.io.metadata.xmp import plain_packet, updated_xmp
from clearzoom.io.picture import Picture
from clearzoom.io.placement import Placement
from clearzoom.io.reading import open_picture
from clearzoom.io.writing import write_picture

RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
TIFF, EXIF = "http://ns.adobe.com/tiff/1.0/", "http://ns.adobe.com/exif/1.0/"


def to(width_px, height_px):
    size = (width_px, height_px)
    return Placement(size, 1, size, (0, 0), size)


def packet(inside="", attributes=""):
    return (
        f'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="{RDF}">'
        f'<rdf:Description xmlns:tiff="{TIFF}" xmlns:e="{EXIF}" {attributes}>{inside}'
        "</rdf:Description></rdf:RDF></x:xmpmeta>"
    ).encode()


def block(order, **tags):
    """EXIF with a maker note, and a thumbnail in a second directory."""
    exif = Image.Exif()
    exif.endian = order
    exif[0x010F] = "Canon"
    exif.get_ifd(0x8769)[0x927C] = b"MAKERNOTE" * 9
    for tag, value in tags.items():
        exif[int(tag[1:])] = value
    tiff = bytearray(exif.tobytes().removeprefix(b"Exif\0\0"))
    sign = order
    first = struct.unpack_from(sign + "I", tiff, 4)[0]
    count = struct.unpack_from(sign + "H", tiff, first)[0]
    struct.pack_into(sign + "I", tiff, first + 2 + 12 * count, len(tiff))
    thumbnail = io.BytesIO()
    Image.new("RGB", (8, 6)).save(thumbnail, "JPEG")
    at = len(tiff) + 2 + 24 + 4
    tiff += struct.pack(sign + "H", 2)
    tiff += struct.pack(sign + "HHII", 0x0201, 4, 1, at)
    tiff += struct.pack(sign + "HHII", 0x0202, 4, 1, len(thumbnail.getvalue()))
    return bytes(tiff + bytes(4) + thumbnail.getvalue())


def loaded(exif):
    read = Image.Exif()
    read.load(exif)
    return read


@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize("tags", [{}, {"t282": 72.0}, {"t282": 72.0, "t283": 72.0}])
def test_a_resolution_is_added_to_exif_that_has_none(order, tags):
    before = updated_exif(block(order, **tags), to(9, 9), (300.0, 150.0))[0]
    after = exif_with_resolution(before, (300.0, 150.0))
    assert stated_dpi(after) == (300, 150)
    assert after[8 : len(before)] == before[8:]
    read = loaded(after)
    assert (read[0x010F], read.get_ifd(0x8769)[0x927C]) == ("Canon", b"MAKERNOTE" * 9)
    assert 0x0201 in read.get_ifd(ExifTags.IFD.IFD1)
    assert exif_with_resolution(after, (300.0, 150.0)) == after


@pytest.mark.parametrize("order", "<>")
def test_a_block_that_ends_with_its_last_tag_is_kept(order):
    head = b"II*\0" if order == "<" else b"MM\0*"
    short = head + struct.pack(order + "IHHHIHH", 8, 1, 0x0112, 3, 1, 6, 0)
    after = updated_exif(short, to(9, 9), (300.0, 300.0))[0]
    assert loaded(after + bytes(4))[0x0112] == 1
    assert stated_dpi(exif_with_resolution(after, (300.0, 300.0))) == (300, 300)


def test_damaged_exif_does_not_stop_the_writing(tmp_path, photo):
    picture = Picture(photo[:9, :9], dpi=(300.0, 300.0), metadata=Metadata(b"II*\0\xff\0\0\0"))
    (problem,) = write_picture(tmp_path / "p.webp", picture)
    assert "the resolution could not be added" in problem


@given(st.binary(max_size=120))
def test_any_block_gets_a_resolution_or_is_refused(tail):
    for start in (b"II*\0", b"MM\0*", b""):
        with contextlib.suppress(ValueError):
            exif_with_resolution(start + tail, (300.0, 300.0))


def test_webp_states_the_resolution_beside_a_cameras_exif(tmp_path, photo):
    picture = Picture(photo[:9, :9], dpi=(300.0, 300.0), metadata=Metadata(block("<")))
    write_picture(tmp_path / "p.webp", picture)
    assert open_picture(tmp_path / "p.webp").dpi == (300, 300)


def test_a_resolution_far_behind_the_start_of_a_png_is_seen(tmp_path, photo):
    def chunk(kind, data):
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    write_picture(tmp_path / "p.png", Picture(photo[:9, :9]))
    plain = (tmp_path / "p.png").read_bytes()
    # libvips writes one of its own, which goes.
    start, end = plain.index(b"pHYs") - 4, plain.index(b"pHYs") + 17
    head = plain[:33] + chunk(b"tEXt", b"Comment\0" + b"pHYs " * 2000)
    for unit, dpi in ((1, pytest.approx((300, 150), abs=0.1)), (0, None)):
        density = chunk(b"pHYs", struct.pack(">IIB", 11811, 5906, unit))
        (tmp_path / "q.png").write_bytes(head + density + plain[33:start] + plain[end:])
        assert open_picture(tmp_path / "q.png").dpi == dpi
    (tmp_path / "q.png").write_bytes(head + plain[33:start] + plain[end:])
    assert open_picture(tmp_path / "q.png").dpi is None


def plain(xmp):
    """However it is written."""
    (said,) = ElementTree.fromstring(xmp)[0]
    return dict(said.attrib), {each.tag: each.text for each in said}


def test_xmp_says_upright_and_the_new_size_in_both_its_forms():
    elements = (
        "<tiff:Orientation>6</tiff:Orientation><tiff:ImageWidth>40</tiff:ImageWidth>"
        "<e:PixelYDimension>\n30 </e:PixelYDimension><tiff:Make>6</tiff:Make>"
    )
    attributes = (
        'tiff:Orientation=\'6\' tiff:ImageLength = "30" e:PixelXDimension="40" '
        'tiff:XResolution="72/1" tiff:Model="6"'
    )
    after = updated_xmp(packet(elements, attributes), 120, 160, (300.0, 299.5))
    expected_elements = (
        "<tiff:Orientation>1</tiff:Orientation><tiff:ImageWidth>120</tiff:ImageWidth>"
        "<e:PixelYDimension>160</e:PixelYDimension><tiff:Make>6</tiff:Make>"
    )
    expected_attributes = (
        'tiff:Orientation="1" tiff:ImageLength = "160" e:PixelXDimension="120" '
        'tiff:XResolution="300000/1000" tiff:Model="6"'
    )
    assert plain(after) == plain(packet(expected_elements, expected_attributes))
    again = updated_xmp(after, 120, 160, (300.0, 299.5))
    assert again == after
    # Of a namespace that is not exif's.
    other = packet(attributes='xmlns:exif="other" exif:PixelXDimension="40"')
    assert updated_xmp(other, 120, 160, None) == other


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".tif", ".webp", ".avif"])
def test_xmp_is_made_true_in_every_format(tmp_path, photo, suffix):
    picture = Picture(
        photo[:30, :40], metadata=Metadata(xmp=packet(attributes='tiff:ImageWidth="9"'))
    )
    write_picture(tmp_path / f"p{suffix}", picture)
    assert b'tiff:ImageWidth="40"' in read_metadata(tmp_path / f"p{suffix}")[0].xmp


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".webp", ".gif"])
def test_a_turn_that_xmp_alone_states_is_said_and_stays(tmp_path, photo, suffix):
    path, size = tmp_path / f"p{suffix}", (40, 30)
    for said, turned in ((packet(attributes='tiff:Orientation="6"'), True), (packet(), False)):
        given = Metadata(xmp=said, turned_by_xmp=turned)
        write_picture(path, Picture(photo[:30, :40], metadata=given))
        source = open_picture(path)
        assert (source.width_px, source.height_px, source.orientation) == (*size, 1)
        assert [note.startswith("XMP alone says") for note in source.notes] == [True] * turned
        placed, _ = transform_metadata(source.metadata, to(*size), None)
        write_picture(tmp_path / f"q{suffix}", Picture(photo[:30, :40], metadata=placed))
        after = open_picture(tmp_path / f"q{suffix}").metadata.xmp
        assert (b'tiff:Orientation="6"' in after) == turned


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".webp"])
def test_exif_goes_before_what_xmp_says_of_the_turn(tmp_path, photo, suffix):
    for stated in (1, 8):
        given = Metadata(block("<", _274=stated), packet(attributes='tiff:Orientation="6"'))
        picture = Picture(photo[:30, :40], metadata=replace(given, turned_by_xmp=True))
        write_picture(tmp_path / f"p{suffix}", picture)
        source = open_picture(tmp_path / f"p{suffix}")
        assert (source.orientation, source.notes) == (stated, ())
        assert b'tiff:Orientation="1"' in transform_metadata(source.metadata, to(9, 9), None)[0].xmp


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_xmp_in_other_encodings_is_kept(encoding):
    plain = packet("<tiff:Artist>Zoë</tiff:Artist>")
    assert plain_packet(plain) == plain
    assert plain_packet(plain.decode().encode(encoding)).lstrip(b"\xef\xbb\xbf") == plain


def test_an_empty_packet_gets_an_end_and_what_is_no_packet_a_note(tmp_path, photo):
    root = f'<rdf:RDF xmlns:rdf="{RDF}"/>'
    empty = f'<x:xmpmeta xmlns:x="adobe:ns:meta/" x:xmptk="a>b/">{root}</x:xmpmeta>'.encode()
    assert f'<rdf:RDF xmlns:rdf="{RDF}"></rdf:RDF>'.encode() in plain_packet(empty)
    with pytest.raises(ValueError, match="no RDF"):
        plain_packet(b"<x/>")
    write_picture(tmp_path / "p.png", Picture(photo[:9, :9], metadata=Metadata(xmp=b"<x/>")))
    assert read_metadata(tmp_path / "p.png") == (
        Metadata(),
        ["XMP could not be read: it is no RDF"],
    )


@given(st.binary(max_size=60))
def test_any_bytes_are_a_packet_or_refused(start):
    for tail in (b"", packet(), packet().decode().encode("utf-16")):
        with contextlib.suppress(ValueError):
            assert b"</rdf:RDF>" in plain_packet(start + tail)


def test_heic_without_exif_gives_no_note(tmp_path, photo):
    import pillow_heif

    pillow_heif.from_pillow(Image.fromarray(np.ascontiguousarray(photo[:64, :64]))).save(
        tmp_path / "p.heic"
    )
    assert open_picture(tmp_path / "p.heic").notes == ()
