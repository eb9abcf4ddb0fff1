"""Metadata of an odd form: the right value, or a note; never the whole picture lost."""

import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from clearzoom.io.metadata import Metadata, read_metadata
from clearzoom.io.picture import Picture
from clearzoom.io.reading import decode, open_picture
from clearzoom.io.writing import write_picture

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
