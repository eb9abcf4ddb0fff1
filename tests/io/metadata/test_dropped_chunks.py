"""What a PNG says and the result does not is named: chunks, a profile, an animation's still."""

import io
import struct
import zlib

import pytest
from PIL import Image, ImageCms

from clearzoom.io.animation.apng_writing import write_apng
from clearzoom.io.reading import open_picture

REFUSED = "the colour profile in the PNG is damaged or does not fit it: it was left out"
SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
LAB = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes()


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(path, *chunks, mode="RGB", behind=b""):
    written = io.BytesIO()
    Image.new(mode, (4, 3), 99).save(written, "PNG")
    plain = written.getvalue()
    path.write_bytes(plain[:33] + b"".join(chunks) + plain[33:-12] + behind + plain[-12:])
    return path


@pytest.mark.parametrize(
    ("kind", "data", "said"),
    [
        (b"oFFs", struct.pack(">iiB", 1, 2, 0), "its place on a page (oFFs)"),
        (b"sCAL", b"\x010.5\x000.5", "the scale of what it shows (sCAL)"),
        (b"sTER", b"\0", "that it shows two eyes' views (sTER)"),
        (b"tIME", b"\x07\xe0\1\1\1\1\1", "the time of its last change (tIME)"),
        (b"vpAg", struct.pack(">IIB", 1, 2, 0), "chunk (vpAg)"),
        (b"bKGD", bytes(6), None),
    ],
)
def test_chunks_without_a_place_are_named(tmp_path, kind, data, said):
    for behind in (False, True):
        made = chunk(kind, data)
        path = png(tmp_path / "p.png", *([] if behind else [made]), behind=made * behind)
        assert list(open_picture(path).notes) == ([f"not kept of the PNG: {said}"] if said else [])


def test_a_profile_that_is_not_taken_is_named(tmp_path):
    name, gamma = b"name\0\0", chunk(b"gAMA", struct.pack(">I", 100_000))
    for mode, data, refused in (
        ("RGB", name + zlib.compress(SRGB), False),
        ("L", name + zlib.compress(SRGB), True),
        ("RGB", name + zlib.compress(LAB), True),
        ("RGB", name + zlib.compress(b"junk" * 50), True),
        ("RGB", name + b"junk", True),
        ("RGB", b"\0\0" + zlib.compress(SRGB), True),
    ):
        source = open_picture(png(tmp_path / "p.png", chunk(b"iCCP", data), mode=mode))
        assert (source.icc_profile == SRGB) == (not refused)
        assert list(source.notes) == [REFUSED] * refused
        # What else is said of the colours holds then.
        source = open_picture(png(tmp_path / "p.png", gamma, chunk(b"iCCP", data), mode=mode))
        assert (source.icc_profile == SRGB) == (not refused)
        assert source.icc_profile is not None


def test_the_still_of_an_animation_is_named(tmp_path, photo):
    frames = [photo[:8, :8], photo[8:16, :8]]
    write_apng(tmp_path / "p.png", iter(frames), [50.0, 50.0], 0, None, None)
    whole = (tmp_path / "p.png").read_bytes()
    assert open_picture(tmp_path / "p.png").notes == ()
    # With a picture before the first frame, which then is not of the animation.
    at = whole.index(b"fcTL") - 4
    still = whole.index(b"IDAT") - 4
    length = int.from_bytes(whole[still : still + 4])
    first = whole[still + 8 : still + 8 + length]
    body, number, place = b"", 0, at
    while place < len(whole):
        size, kind = int.from_bytes(whole[place : place + 4]), whole[place + 4 : place + 8]
        data = whole[place + 8 : place + 8 + size]
        place += 12 + size
        if kind == b"IDAT":
            kind, data = b"fdAT", bytes(4) + data
        if kind in (b"fcTL", b"fdAT"):
            data, number = struct.pack(">I", number) + data[4:], number + 1
        body += chunk(kind, data)
    (tmp_path / "q.png").write_bytes(whole[:at] + chunk(b"IDAT", first) + body)
    source = open_picture(tmp_path / "q.png")
    assert source.frames == 2
    said = "the still for programs without animation is not kept"
    assert list(source.notes) == [said]
