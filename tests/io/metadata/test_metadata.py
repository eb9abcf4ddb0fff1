import contextlib
import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from clearzoom.io.metadata.blocks import Metadata, as_resource, read_metadata, resources
from clearzoom.io.metadata.exif import updated_exif
from clearzoom.io.metadata.exif_resolution import exif_with_resolution
from clearzoom.io.metadata.provenance import Provenance, with_provenance
from clearzoom.io.picture import Picture
from clearzoom.io.placement import Placement
from clearzoom.io.reading import open_picture
from clearzoom.io.writing import write_picture

IPTC = b"\x1c\x02\x78\x00\x0bA museum cat"
PROVENANCE = Provenance("clearzoom 1", "photo x4", "ab" * 32, "4", "onnxruntime fp32")


PART = Placement((30, 40), 6, (60, 80), (5, 6), (9, 9))


def to(width_px, height_px):
    size = (width_px, height_px)
    return Placement(size, 1, size, (0, 0), size)


def camera_exif(dpi=72.0):
    exif = Image.Exif()
    exif.update({0x010F: "Canon", 0x0112: 6, 0x8298: "(c) me", 282: dpi, 283: dpi, 296: 2})
    exif.get_ifd(0x8769).update(
        {
            0x9003: "2020:01:02 03:04:05",
            0x829A: (1, 125),
            0x927C: b"MAKERNOTE" * 9,
            0xA002: 40,
            0xA003: 30,
        }
    )
    exif.get_ifd(0x8825).update({1: "N", 2: (25.0, 2.0, 3.5)})
    return exif.tobytes().removeprefix(b"Exif\0\0")


def test_exif_is_made_true_in_place():
    before = camera_exif()
    after, notes = updated_exif(before, to(70_000, 120), (300.0, 299.5))
    assert not notes
    assert len(after) == len(before)
    exif = Image.Exif()
    exif.load(after)
    inner = exif.get_ifd(0x8769)
    assert (exif[0x0112], exif[282], exif[283]) == (1, 300, 299.5)
    assert (inner[0xA002], inner[0xA003]) == (70_000, 120)
    assert (exif[0x010F], inner[0x927C], inner[0x9003]) == (
        "Canon",
        b"MAKERNOTE" * 9,
        "2020:01:02 03:04:05",
    )
    assert exif.get_ifd(0x8825)[2] == (25.0, 2.0, 3.5)


def test_a_resolution_alone_can_be_stated():
    exif = Image.Exif()
    exif.load(exif_with_resolution(None, (300.0, 299.5)))
    assert dict(exif) == {282: 300.0, 283: 299.5, 296: 2}


@given(st.binary(max_size=80), st.integers(0, 400), st.binary(min_size=1, max_size=4))
def test_damaged_exif_is_an_error_or_a_block_of_the_same_length(tail, at, patch):
    block = bytearray(camera_exif() + tail)
    block[at : at + len(patch)] = patch
    with contextlib.suppress(ValueError):
        assert len(updated_exif(bytes(block), PART, (1.0, 1.0))[0]) == len(block)


@given(st.binary(max_size=120))
def test_photoshops_resources_are_read_or_refused(block):
    with contextlib.suppress(ValueError):
        assert resources(block) in b"" + block
    assert resources(as_resource(b"\x1c" + block)) == b"\x1c" + block


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".tif", ".webp"])
def test_every_block_comes_back_from_every_format(tmp_path, photo, suffix):
    exif, xmp = camera_exif(300.0), with_provenance(None, PROVENANCE)
    picture = Picture(photo[:30, :40], dpi=(300.0, 300.0), metadata=Metadata(exif, xmp, IPTC))
    path = tmp_path / f"p{suffix}"
    problems = write_picture(path, picture)
    kept, unread = read_metadata(path)
    assert not unread
    assert kept.xmp == xmp
    if suffix == ".webp":
        assert problems == ["WebP has no place for IPTC"]
    else:
        assert (kept.iptc, problems) == (IPTC, [])
    if suffix != ".tif":
        assert kept.exif == exif
    with Image.open(path) as read:
        read.load()
        again = read.getexif()
        assert (again[0x010F], again[0x8298]) == ("Canon", "(c) me")
        assert again.get_ifd(0x8769)[0x927C] == b"MAKERNOTE" * 9
        assert again.get_ifd(0x8825)[2] == (25.0, 2.0, 3.5)
    np.testing.assert_allclose(open_picture(path).dpi, 300, atol=0.01)


def test_bigtiff_gets_its_blocks_too(tmp_path, photo):
    import pyvips

    from clearzoom.io.metadata.embed import insert_metadata

    path = tmp_path / "big.tif"
    pyvips.Image.new_from_array(photo).write_to_file(str(path), bigtiff=True)
    insert_metadata(path, Metadata(camera_exif(), None, IPTC))
    kept, _ = read_metadata(path)
    assert kept.iptc == IPTC
    with Image.open(path) as read:
        np.testing.assert_array_equal(np.asarray(read), photo)
        assert read.getexif().get_ifd(0x8769)[0x9003] == "2020:01:02 03:04:05"


def test_provenance_joins_a_packet_and_replaces_an_older_one():
    packet = (
        b'<x:xmpmeta xmlns:x="adobe:ns:meta/">'
        b'<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        b'<rdf:Description rdf:about="uuid:1" xmlns:dc="dc" dc:creator="me"/>'
        b"</rdf:RDF></x:xmpmeta>"
    )
    once = with_provenance(packet, PROVENANCE)
    assert b'dc:creator="me"' in once
    assert once.count(b'rdf:about="uuid:1"') == 2
    assert b"photo x4" in once
    assert with_provenance(once, PROVENANCE) == once
    assert b"photo x4" in with_provenance(b"no xml at all", PROVENANCE)


def test_too_long_a_block_is_left_out_of_jpeg_and_said(tmp_path, photo):
    picture = Picture(photo[:9, :9], metadata=Metadata(xmp=b"<x>" + b" " * 70_000 + b"</x>"))
    (problem,) = write_picture(tmp_path / "p.jpg", picture)
    assert "XMP of 70,036 bytes does not fit" in problem
    assert read_metadata(tmp_path / "p.jpg")[0].xmp is None


def test_unreadable_metadata_is_a_line(tmp_path):
    (tmp_path / "none.jpg").write_bytes(b"\xff\xd8" + struct.pack(">HH", 0xFFE1, 9))
    assert read_metadata(tmp_path / "none.jpg")[1]
