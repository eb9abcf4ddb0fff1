"""Metadata of an odd form: the right value, or a note; never the whole picture lost."""

import struct
import zlib

import numpy as np
import pytest
import pyvips
from PIL import Image, ImageCms

from clearzoom.errors import UnreadablePictureError
from clearzoom.io.metadata.blocks import Metadata, read_metadata
from clearzoom.io.metadata.transform import transform_metadata
from clearzoom.io.picture import Picture
from clearzoom.io.placement import Placement
from clearzoom.io.profile import to_srgb
from clearzoom.io.reading import decode, open_picture
from clearzoom.io.writing import as_image, write_picture

IPTC = b"\x1c\x02\x78\x00\x0bA museum cat" + b"\x1c\x02\x05\x00\x02Zo"


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


@pytest.fixture
def png(tmp_path, photo):
    """Makes a PNG with chunks of one's own before the px."""
    plain = tmp_path / "plain.png"
    Image.fromarray(photo[:8, :8]).save(plain)
    whole = plain.read_bytes()

    def made(*chunks):
        path = tmp_path / "made.png"
        added = b"".join(chunk(*each) for each in chunks)
        path.write_bytes(whole[:33] + added + whole[33:])
        return path

    return made


def tiff(path, *entries, order="<"):
    """A grey TIFF of 4x4 px with more entries: tag, kind, count, bytes in the file's order."""
    tags = [
        (256, 3, 1, struct.pack(order + "H", 4)),
        (257, 3, 1, struct.pack(order + "H", 4)),
        (258, 3, 1, struct.pack(order + "H", 8)),
        (259, 3, 1, struct.pack(order + "H", 1)),
        (262, 3, 1, struct.pack(order + "H", 1)),
        (273, 4, 1, struct.pack(order + "I", 8)),
        (278, 3, 1, struct.pack(order + "H", 4)),
        (279, 4, 1, struct.pack(order + "I", 16)),
        *entries,
    ]
    tags.sort(key=lambda tag: tag[0])
    directory, values, at = b"", b"", 24 + 2 + 12 * len(tags) + 4
    for number, kind, count, data in tags:
        where = data.ljust(4, b"\0")
        if len(data) > 4:
            where = struct.pack(order + "I", at + len(values))
            values += data + b"\0" * (len(data) % 2)
        directory += struct.pack(order + "HHI", number, kind, count) + where
    head = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(order + "I", 24)
    directory = struct.pack(order + "H", len(tags)) + directory + bytes(4)
    path.write_bytes(head + bytes(range(16)) + directory + values)
    return path


def test_a_keyword_in_latin_1_loses_nothing(png, photo):
    source = open_picture(png((b"tEXt", "Schlüssel\0Zoë".encode("latin-1"))))
    np.testing.assert_array_equal(decode(source), photo[:8, :8])


@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize(("kind", "size"), [(1, 1), (2, 1), (4, 4), (7, 1), (3, 2), (13, 4)])
@pytest.mark.parametrize("swapped", [False, True])
def test_iptc_of_any_kind_is_read(tmp_path, order, kind, size, swapped):
    records = IPTC + bytes(-len(IPTC) % 4)
    stored = records
    if swapped:  # as some programs do with what they call LONGs
        stored = b"".join(records[at : at + size][::-1] for at in range(0, len(records), size))
    path = tiff(tmp_path / "p.tif", (33723, kind, len(records) // size, stored), order=order)
    metadata, problems = read_metadata(path)
    assert (metadata.iptc, problems) == (records, [])
    assert decode(open_picture(path)).ravel().tolist() == list(range(16))
    write_picture(tmp_path / "q.tif", Picture(decode(open_picture(path)), metadata=metadata))
    assert read_metadata(tmp_path / "q.tif")[0].iptc == records


@pytest.mark.parametrize("order", "<>")
def test_a_turn_or_a_unit_without_a_meaning_is_none(tmp_path, order):
    for number in (0, 9, 65_535):
        stated = struct.pack(order + "H", number)
        for tag, notes in (
            (274, ()),
            (296, ("its resolution has a unit without a meaning, and is not kept",)),
        ):
            path = tiff(tmp_path / "p.tif", (tag, 3, 1, stated), order=order)
            before = path.read_bytes()
            source = open_picture(path)
            assert (source.orientation, source.dpi, source.notes) == (1, None, notes)
            assert decode(source).ravel().tolist() == list(range(16))
            assert path.read_bytes() == before
            path.write_bytes(before[:30])  # what is damaged is still refused
            with pytest.raises(UnreadablePictureError, match="get a whole copy"):
                decode(open_picture(path))


@pytest.mark.parametrize("kind", [2, 5, 11, 12, 99])
def test_what_is_no_iptc_is_a_note(tmp_path, kind):
    path = tiff(tmp_path / "p.tif", (33723, kind, 2, b"nothing of the kind"))
    source = open_picture(path)
    assert source.metadata.iptc is None
    assert any(note.startswith("IPTC could not be read") for note in source.notes)


def test_a_block_that_is_called_text_is_written_once(tmp_path):
    path = tiff(tmp_path / "p.tif", (33723, 2, len(IPTC), IPTC), (270, 2, 4, b"cat\0"))
    metadata, _ = read_metadata(path)
    assert metadata.iptc == IPTC
    write_picture(tmp_path / "q.tif", Picture(np.zeros((4, 4, 1), np.uint8), metadata=metadata))
    with Image.open(tmp_path / "q.tif") as read:
        assert (read.tag_v2[270], read.tag_v2[33723]) == ("cat", IPTC)
    assert read_metadata(tmp_path / "q.tif")[0] == Metadata(metadata.exif, None, IPTC)


def test_a_damaged_profile_never_stops_the_writing(tmp_path, photo):
    """Some that littlecms opens cannot be linked to sRGB, and some PNG's encoder refuses."""
    given = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    small, unlinked, refused = np.ascontiguousarray(photo[:4, :4]), 0, 0
    for at in range(0, len(given), 8):
        profile = given[:at] + b"\0\xff\xff\xff" + given[at + 4 :]
        image = as_image(small).copy()
        assert to_srgb(image, profile).numpy().shape == small.shape
        image.set_type(pyvips.GValue.blob_type, "icc-profile-data", profile)
        try:
            image.icc_transform("srgb", embedded=True)
        except pyvips.Error:
            unlinked += 1
        notes = write_picture(tmp_path / "p.png", Picture(small, icc_profile=profile))
        refused += bool(notes)
        assert open_picture(tmp_path / "p.png").icc_profile == (None if notes else profile)
    assert unlinked
    assert refused


@pytest.mark.parametrize("dpi", [(1e300, 72.0), (72.0, 0.0), (5e6, 5e6), (70_000.0, 300.0)])
@pytest.mark.parametrize("suffix", [".jpg", ".webp", ".tif"])
def test_a_resolution_beyond_what_a_format_states_is_said(tmp_path, photo, dpi, suffix):
    if max(dpi) < 1e300:
        (note,) = write_picture(tmp_path / "o.tif", Picture(photo[:4, :4], dpi=(9e6, 9e6)))
        assert note == "a resolution of 9e+06 by 9e+06 dpi is not kept"
    values = [struct.pack("<d", each) for each in dpi]
    path = tiff(
        tmp_path / "p.tif", (282, 12, 1, values[0]), (283, 12, 1, values[1]), (296, 3, 1, b"\2\0")
    )
    source = open_picture(path)
    assert (source.dpi is None) == (max(dpi) > 1e6 or min(dpi) == 0)
    camera = Image.Exif()
    camera.update({282: 72.0, 283: 72.0, 296: 2})
    metadata, _ = transform_metadata(
        Metadata(camera.tobytes().removeprefix(b"Exif\0\0")),
        Placement((4, 4), 1, (4, 4), (0, 0), (4, 4)),
        source.dpi,
    )
    picture = Picture(photo[:4, :4], dpi=source.dpi, metadata=metadata)
    notes = write_picture(tmp_path / f"q{suffix}", picture)
    if suffix == ".jpg" and source.dpi:
        (note,) = notes
        assert note.startswith("a JPEG states at most 65,535 dpi")
    else:
        assert notes == []
        expected = source.dpi or ((72, 72) if suffix == ".webp" else None)
        if expected:
            np.testing.assert_allclose(open_picture(tmp_path / f"q{suffix}").dpi, expected)
