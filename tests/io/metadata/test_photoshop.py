"""Photoshop's resources: true for the result wherever a format has a place for them."""

import contextlib
import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageOps

from clearzoom.core.targets import Wanted
from clearzoom.io.metadata.blocks import Metadata, read_metadata
from clearzoom.io.metadata.photoshop import (
    HEAD,
    Resource,
    in_segments,
    photoshop_dpi,
    placed_photoshop,
    resources_in,
)
from clearzoom.io.picture import Picture
from clearzoom.io.placement import Placement
from clearzoom.io.reading import open_picture
from clearzoom.io.writing import write_picture
from clearzoom.pipeline.job import plan_job
from clearzoom.pipeline.run import run_job
from clearzoom.pipeline.settings import Settings

ONE = 2**24
IPTC = b"\x1c\x02\x78\x00\x0bA museum cat"
WHOLE = Placement((40, 30), 1, (80, 60), (0, 0), (80, 60))
RESOLUTION = struct.pack(">IHHIHH", 72 << 16, 1, 2, 72 << 16, 1, 2)
SLICES = struct.pack(">I16xI2xI", 6, 1, 1)


def path_of(x, y, selector=2):
    """A closed path of one knot."""
    records = [
        struct.pack(">H24x", 6),
        struct.pack(">HH22x", 0, 1),
        struct.pack(">H6i", selector, *[round(y * ONE), round(x * ONE)] * 3),
    ]
    return b"".join(records)


def knot(data):
    """Its x and y."""
    y, x = struct.unpack_from(">2i", data, 52 + 10)
    return x / ONE, y / ONE


def packed(*resources):
    return b"".join(each.packed() for each in resources)


EVERY = packed(
    Resource(1005, b"", RESOLUTION),
    Resource(1028, b"", IPTC),
    Resource(1030, b"", b"\0\1\0"),
    Resource(1032, b"", struct.pack(">IIII", 1, 576, 576, 0)),
    Resource(1034, b"", b"\1"),
    Resource(1036, b"", b"a thumbnail"),
    Resource(1050, b"", SLICES),
    Resource(2000, b"around the cat", path_of(0.25, 0.75)),
    Resource(2999, b"", b"\x0earound the cat\0"),
)


def test_what_is_only_enlarged_keeps_its_paths_to_the_byte():
    block, notes = placed_photoshop(EVERY, WHOLE, (300.0, 150.5))
    kept = {each.kind: each for each in resources_in(block)}
    assert list(kept) == [1005, 1034, 1036, 2000, 2999]
    assert kept[2000] == Resource(2000, b"around the cat", path_of(0.25, 0.75))
    assert photoshop_dpi(block) == (300, 150.5)
    assert kept[1005].data[4:8] == RESOLUTION[4:8]
    assert notes == []
    assert [each.kind for each in resources_in(placed_photoshop(EVERY, WHOLE, None)[0])] == [
        *(1034, 1036, 2000, 2999)
    ]


def test_what_cannot_be_made_true_is_named():
    block = packed(
        Resource(1032, b"", struct.pack(">IIIIIB", 1, 576, 576, 1, 320, 0)),
        Resource(1050, b"", SLICES[:-1] + b"\2"),
        Resource(1080, b"", b"?"),
        Resource(4000, b"", b"?"),
    )
    assert placed_photoshop(block, WHOLE, None) == (
        None,
        ["not kept of Photoshop: guides, slices, counts, resource 4000"],
    )
    far = Placement((40, 30), 1, (40_000, 30_000), (39_999, 0), (1, 1))
    assert placed_photoshop(packed(Resource(2000, b"", path_of(0, 0))), far, None) == (
        None,
        ["not kept of Photoshop: a clipping path"],
    )


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_path_stays_on_what_it_was_drawn_around(orientation):
    """A mark in a picture that Pillow turns, enlarges and cuts is where its path says."""
    x, y = 11, 22
    mark = np.zeros((30, 40), np.uint8)
    mark[y, x] = 255
    picture = Image.fromarray(mark)
    picture.getexif()[0x0112] = orientation
    upright = ImageOps.exif_transpose(picture)
    resized = upright.resize((upright.width * 4, upright.height * 4), Image.Resampling.NEAREST)
    left, top = (-4 + 4 * int(side) for side in reversed(np.argwhere(upright)[0]))
    cut = resized.crop((left, top, left + 36, top + 24))
    placement = Placement(upright.size, orientation, resized.size, (left, top), cut.size)
    before = packed(
        Resource(1036, b"", b"a thumbnail"),
        Resource(1064, b"", struct.pack(">Id", 1, 2.0)),
        Resource(2000, b"mark", path_of((x + 0.5) / 40, (y + 0.5) / 30, selector=1)),
    )
    block, notes = placed_photoshop(before, placement, None)
    shape, path = resources_in(block)
    rows, columns = np.nonzero(np.asarray(cut))
    expected = ((columns.mean() + 0.5) / 36, (rows.mean() + 0.5) / 24)
    np.testing.assert_allclose(knot(path.data), expected, atol=1e-6)
    assert path.name == b"mark"
    assert notes == []
    assert struct.unpack(">Id", shape.data)[1] == (0.5 if orientation >= 5 else 2)


@pytest.mark.parametrize("suffix", [".jpg", ".tif", ".png"])
def test_they_come_back_from_the_formats_that_have_a_place(tmp_path, photo, suffix):
    block = packed(*(each for each in resources_in(EVERY) if each.kind != 1028))
    metadata = Metadata(iptc=IPTC, photoshop=block)
    assert write_picture(tmp_path / f"p{suffix}", Picture(photo[:9, :9], metadata=metadata)) == []
    assert read_metadata(tmp_path / f"p{suffix}") == (metadata, [])
    if suffix == ".png":
        return
    with Image.open(tmp_path / f"p{suffix}") as read:
        if suffix == ".jpg":
            assert read.info["photoshop"][2000] == path_of(0.25, 0.75)
        else:
            assert read.tag_v2[34377] == block


@pytest.mark.parametrize("suffix", [".webp", ".avif", ".gif"])
def test_formats_without_a_place_say_so(tmp_path, photo, suffix):
    picture = Picture(photo[:9, :9], metadata=Metadata(photoshop=EVERY))
    (note,) = write_picture(tmp_path / f"p{suffix}", picture)
    assert note.endswith("has no place for Photoshop's clipping paths and settings")


def test_many_resources_go_into_several_segments(tmp_path, photo):
    block = packed(*(Resource(2000 + each, b"", b"p" * 26 * 1000) for each in range(5)))
    assert b"".join(piece[14:] for piece in in_segments(block, 65_533)) == block
    metadata = Metadata(photoshop=block)
    assert write_picture(tmp_path / "p.jpg", Picture(photo[:9, :9], metadata=metadata)) == []
    assert read_metadata(tmp_path / "p.jpg")[0] == metadata
    with Image.open(tmp_path / "p.jpg") as read:
        assert sorted(read.info["photoshop"]) == [2000, 2001, 2002, 2003, 2004]


def test_iptc_that_stands_in_photoshops_resources_alone_is_found(tmp_path, photo):
    write_picture(tmp_path / "p.tif", Picture(photo[:9, :9], metadata=Metadata(photoshop=EVERY)))
    assert read_metadata(tmp_path / "p.tif")[0].iptc == IPTC


def test_resources_that_are_cut_are_a_note(tmp_path, photo):
    cut = Metadata(photoshop=EVERY[:-8])
    write_picture(tmp_path / "p.tif", Picture(photo[:9, :9], metadata=cut))
    source = open_picture(tmp_path / "p.tif")
    assert source.notes == ("Photoshop's resources could not be read: the resources are cut",)
    assert placed_photoshop(EVERY[:-8], WHOLE, None)[0] is None


def test_layers_of_a_tiff_are_named(tmp_path, photo):
    Image.fromarray(photo[:9, :9]).save(tmp_path / "p.tif", tiffinfo={37724: b"Adobe Photoshop"})
    assert open_picture(tmp_path / "p.tif").notes == ("not kept of the TIFF: Photoshop's layers",)


@given(st.binary(max_size=120), st.sampled_from([1005, 1032, 1050, 1064, 2000, 9]))
def test_any_resource_is_placed_or_named(data, kind):
    for placement in (WHOLE, Placement((4, 3), 6, (8, 6), (1, 1), (2, 2))):
        placed_photoshop(Resource(kind, b"n", data).packed(), placement, (72.0, 72.0))
        placed_photoshop(data, placement, None)
    with contextlib.suppress(ValueError):
        list(resources_in(HEAD + b"8BIM" + data))


def test_a_job_turns_and_cuts_paths_and_drops_thumbnails(tmp_path, photo):
    """From a JPEG on its side whose resolution Photoshop alone states."""
    block = packed(
        Resource(1005, b"", struct.pack(">IHHIHH", 300 << 16, 1, 2, 150 << 16, 1, 2)),
        Resource(1036, b"", b"a thumbnail of it all"),
        Resource(2000, b"cat", path_of(0.25, 0.5)),
    )
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(photo[:20, :40]).save(tmp_path / "p.jpg", exif=exif)
    plain = bytearray((tmp_path / "p.jpg").read_bytes())
    plain[13] = 0  # of JFIF: no unit
    app13 = HEAD + block
    plain[2:2] = struct.pack(">HH", 0xFFED, len(app13) + 2) + app13
    (tmp_path / "p.jpg").write_bytes(plain)
    assert open_picture(tmp_path / "p.jpg").dpi == (150, 300)
    paths = tmp_path / "p.jpg", tmp_path / "q.jpg"
    job = plan_job(*paths, Settings(Wanted(2)), preview=(5, 5, 10, 20))
    assert run_job(job).notes == ()
    result = read_metadata(tmp_path / "q.jpg")[0].photoshop
    kept = {each.kind: each.data for each in resources_in(result)}
    assert list(kept) == [1005, 2000]
    assert photoshop_dpi(result) == open_picture(tmp_path / "q.jpg").dpi == (150, 300)
    # (10, 10) of 40x20 px becomes (10, 10) of 20x40, and from (5, 5) on of 10x20 remain.
    np.testing.assert_allclose(knot(kept[2000]), (0.5, 0.25))
    assert b"thumbnail" not in (tmp_path / "q.jpg").read_bytes()
