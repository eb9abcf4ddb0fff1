"""EXIF's sizes, subject and small pictures are those of the result."""

import contextlib
import io
import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import ExifTags, Image

from clearzoom.io.metadata.exif import updated_exif
from clearzoom.io.metadata.iptc import without_previews
from clearzoom.io.placement import Placement

WHOLE = Placement((400, 200), 1, (1600, 800), (0, 0), (1600, 800))
PART = Placement((400, 200), 1, (1600, 800), (400, 200), (800, 400))
SIDEWAYS = Placement((200, 400), 6, (800, 1600), (0, 0), (800, 1600))
SHORT, LONG, RATIONAL, UNDEFINED = 3, 4, 5, 7
NOTES = b"MAKER\0" + bytes(range(256))


def jpeg(side=8):
    written = io.BytesIO()
    random = np.random.default_rng(1).integers(0, 255, (side, side, 3), np.uint8)
    Image.fromarray(random).save(written, "JPEG")
    return written.getvalue()


def directory(order, at, entries, following=0):
    """A directory for a place, and its values; ``entries``: tag, kind, count, bytes or a number."""
    head, values = struct.pack(order + "H", len(entries)), b""
    behind = at + 2 + 12 * len(entries) + 4
    for tag, kind, count, data in entries:
        if isinstance(data, int):
            data = struct.pack(order + ("I" if kind == LONG else "H"), data)
        where = data.ljust(4, b"\0")
        if len(data) > 4:
            where = struct.pack(order + "I", behind + len(values))
            values += data
        head += struct.pack(order + "HHI", tag, kind, count) + where
    return head + struct.pack(order + "I", following) + values


def block(order, orientation=1, subject=(100, 50, 20, 10), notes=NOTES, thumbnail=None):
    """A camera's EXIF with four directories."""
    head = b"II*\0" if order == "<" else b"MM\0*"
    fraction = struct.pack(order + "II", 3000, 2)
    inner_at, related_at, small_at = 200, 500 + len(notes), 700 + len(notes)
    first = directory(
        order,
        8,
        [
            (0x0100, SHORT, 1, 400),
            (0x0101, LONG, 1, 200),
            (0x010F, 2, 6, b"Canon\0"),
            (0x0112, SHORT, 1, orientation),
            (0x8769, LONG, 1, inner_at),
        ],
        small_at,
    )
    inner = directory(
        order,
        inner_at,
        [
            (0x9003, 2, 20, b"2020:01:02 03:04:05\0"),
            (0x9214, SHORT, len(subject), struct.pack(f"{order}{len(subject)}H", *subject)),
            (0x927C, UNDEFINED, len(notes), notes),
            (0xA002, SHORT, 1, 400),
            (0xA003, SHORT, 1, 200),
            (0xA005, LONG, 1, related_at),
            (0xA20E, RATIONAL, 1, fraction),
            (0xA20F, RATIONAL, 1, struct.pack(order + "II", 1000, 1)),
            (0xA214, SHORT, 2, struct.pack(order + "HH", 100, 50)),
        ],
    )
    related = directory(order, related_at, [(1, 2, 4, b"R98\0"), (0x1001, SHORT, 1, 400)])
    thumbnail = jpeg() if thumbnail is None else thumbnail
    data_at = small_at + 2 + 24 + 4
    small = directory(
        order, small_at, [(0x0201, LONG, 1, data_at), (0x0202, LONG, 1, len(thumbnail))]
    )
    whole = (head + struct.pack(order + "I", 8) + first).ljust(inner_at, b"\0") + inner
    whole = whole.ljust(related_at, b"\0") + related
    return whole.ljust(small_at, b"\0") + small + thumbnail


def read(exif):
    loaded = Image.Exif()
    loaded.load(exif)
    return loaded


@pytest.mark.parametrize("order", "<>")
def test_sizes_and_places_are_the_results(order):
    given = block(order)
    after, notes = updated_exif(given, WHOLE, (300.0, 300.0))
    assert (len(after), notes) == (len(given), [])
    exif = read(after)
    inner = exif.get_ifd(0x8769)
    assert (exif[0x0100], exif[0x0101]) == (1600, 800)
    assert (inner[0xA002], inner[0xA003]) == (1600, 800)
    assert exif.get_ifd(0xA005)[0x1001] == 1600
    assert inner[0x9214] == (400, 200, 80, 40)
    assert inner[0xA214] == (400, 200)
    assert (inner[0xA20E], inner[0xA20F]) == (6000, 4000)
    assert (inner[0x927C], inner[0x9003]) == (NOTES, "2020:01:02 03:04:05")
    assert jpeg() in after


@pytest.mark.parametrize("order", "<>")
def test_what_was_turned_or_cut_is_turned_and_cut(order):
    inner = read(updated_exif(block(order, 6), SIDEWAYS, None)[0]).get_ifd(0x8769)
    assert inner[0x9214] == (600, 400, 40, 80)
    assert (inner[0xA20E], inner[0xA20F]) == (4000, 6000)
    inner = read(updated_exif(block(order), PART, None)[0]).get_ifd(0x8769)
    assert inner[0x9214] == (20, 10, 40, 20)
    assert inner[0xA214] == (0, 0)


@pytest.mark.parametrize("order", "<>")
def test_a_subject_outside_of_the_part_is_named_and_gone(order):
    given = block(order, subject=(10, 20, 4, 2))
    after, notes = updated_exif(given, PART, None)
    inner = read(after).get_ifd(0x8769)
    assert 0x9214 not in inner
    assert struct.pack(order + "4H", 10, 20, 4, 2) not in after
    assert notes == ["the subject's place in EXIF lies outside of the part: it was left out"]
    assert (inner[0x927C], inner[0xA002], inner[0xA214]) == (NOTES, 800, (0, 0))
    huge = Placement((400, 200), 1, (400_000, 200_000), (0, 0), (400_000, 200_000))
    assert "beyond px 65,535" in updated_exif(block(order), huge, None)[1][0]


@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize(("orientation", "placement"), [(6, SIDEWAYS), (1, PART), (3, WHOLE)])
def test_a_thumbnail_that_shows_something_else_is_gone_with_its_bytes(
    order, orientation, placement
):
    given = block(order, orientation)
    assert 0x0201 in read(given).get_ifd(ExifTags.IFD.IFD1)
    after, _ = updated_exif(given, placement, None)
    assert len(after) == len(given)
    assert not read(after).get_ifd(ExifTags.IFD.IFD1)
    assert after[-len(jpeg()) :] == bytes(len(jpeg()))
    assert read(after).get_ifd(0x8769)[0x927C] == NOTES


def test_a_thumbnail_in_strips_is_emptied_too():
    given = bytearray(block("<", thumbnail=bytes(range(1, 200))))
    at = given.rindex(struct.pack("<HHI", 0x0201, LONG, 1))
    struct.pack_into("<H", given, at, 0x0111)
    struct.pack_into("<H", given, at + 12, 0x0117)
    after, _ = updated_exif(bytes(given), PART, None)
    assert after.endswith(bytes(199))


def test_makers_notes_stay_to_the_byte_and_give_up_only_previews_of_what_was_cut():
    notes = b"Sony" + jpeg(16) + b"and more" + b"\xff\xd8\xff by chance"
    given = block("<", notes=notes)
    for placement, emptied in ((WHOLE, False), (PART, True)):
        after, said = updated_exif(given, placement, None)
        expected = notes.replace(jpeg(16), bytes(len(jpeg(16)))) if emptied else notes
        assert read(after).get_ifd(0x8769)[0x927C] == expected
        assert bool(said) == emptied


@given(st.integers(0, 900), st.binary(min_size=1, max_size=6), st.sampled_from("<>"))
def test_damaged_blocks_are_refused_or_keep_their_length(at, patch, order):
    given = bytearray(block(order))
    given[at : at + len(patch)] = patch
    for placement in (WHOLE, PART, SIDEWAYS):
        with contextlib.suppress(ValueError):
            assert len(updated_exif(bytes(given), placement, (9.0, 9.0))[0]) == len(given)


def test_previews_in_iptc_go():
    def record(number, data):
        return b"\x1c\x02" + bytes([number]) + len(data).to_bytes(2) + data

    long = b"\x1c\x02\xca\x80\x04" + (40_000).to_bytes(4) + b"J" * 40_000
    given = record(120, b"a cat") + record(200, b"\0\1") + long + record(80, b"me")
    assert without_previews(given) == record(120, b"a cat") + record(80, b"me")
    assert without_previews(given[:-3]) == record(120, b"a cat") + record(80, b"me")[:-3]


@given(st.binary(max_size=60))
def test_any_records_are_cut_down_or_left(tail):
    assert len(without_previews(b"\x1c\x02\xc8" + tail)) <= 3 + len(tail)
