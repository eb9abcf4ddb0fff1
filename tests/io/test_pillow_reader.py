"""BMP, PPM, TGA and JPEG 2000: read px by px as was written, or refused in plain words."""

import struct
import zlib
from io import BytesIO

import numpy as np
import pytest
from PIL import Image, ImageCms

from clearzoom.errors import SizeError, UnreadablePictureError
from clearzoom.io.compression_error import compression_error_levels
from clearzoom.io.names import READ_SUFFIXES, START_BYTES, begins_as_picture
from clearzoom.io.pillow_reader import kind_by_start
from clearzoom.io.reading import decode, decode_rgb8, open_picture, read_picture

RANDOM = np.random.default_rng(7)
LEVELS = RANDOM.integers(0, 256, (13, 10, 4), np.uint8)
DEEP = RANDOM.integers(0, 65_536, (13, 10, 3)).astype(np.uint16)
PROFILE = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def pillow(mode):
    channels = {"L": 1, "LA": 2, "RGB": 3, "RGBA": 4}[mode]
    part = LEVELS[..., -channels:]
    return Image.fromarray(np.ascontiguousarray(part[..., 0] if channels == 1 else part)), part


@pytest.mark.parametrize(
    ("name", "kind", "mode", "options"),
    [
        ("a.bmp", "BMP", "L", {}),
        ("a.bmp", "BMP", "RGB", {}),
        ("a.ppm", "PPM", "RGB", {}),
        ("a.pgm", "PPM", "L", {}),
        ("a.tga", "TGA", "L", {}),
        ("a.tga", "TGA", "LA", {}),
        ("a.tga", "TGA", "RGB", {"compression": "tga_rle"}),
        ("a.tga", "TGA", "RGBA", {"orientation": 1}),
        ("a.jp2", "JPEG 2000", "L", {}),
        ("a.jp2", "JPEG 2000", "RGB", {}),
        ("a.jp2", "JPEG 2000", "RGBA", {}),
        ("a.j2k", "JPEG 2000", "RGB", {}),
    ],
)
def test_px_are_those_that_were_written(tmp_path, name, kind, mode, options):
    picture, expected = pillow(mode)
    picture.save(tmp_path / name, **options)
    assert f".{name.partition('.')[2]}" in READ_SUFFIXES
    source = open_picture(tmp_path / name)
    assert (source.kind, source.width_px, source.height_px) == (kind, 10, 13)
    assert source.notes == ()
    assert source.has_alpha == (mode in ("LA", "RGBA"))
    got = read_picture(tmp_path / name).samples
    assert np.array_equal(got, expected.reshape(13, 10, -1))
    content = (tmp_path / name).read_bytes()
    if kind != "TGA":
        assert begins_as_picture(content[:START_BYTES])
        assert kind_by_start(content[:START_BYTES]) == kind
    if mode == "RGB":
        assert np.array_equal(decode_rgb8(content), expected)


def test_a_palette_and_two_colours_become_what_they_show(tmp_path):
    paletted = Image.fromarray(LEVELS[..., :3]).quantize(16)
    paletted.save(tmp_path / "a.bmp")
    expected = np.asarray(paletted.convert("RGB"))
    assert np.array_equal(read_picture(tmp_path / "a.bmp").samples, expected)
    for name in ("b.bmp", "b.pbm"):
        Image.fromarray(LEVELS[..., 0] > 99).save(tmp_path / name)
        grey = read_picture(tmp_path / name).samples[..., 0]
        assert np.array_equal(grey > 0, LEVELS[..., 0] > 99)
        assert set(np.unique(grey)) == {0, 255}


def test_alpha_of_a_bmp_is_what_its_masks_say(tmp_path):
    masks = (0xFF0000, 0xFF00, 0xFF, 0xFF000000)
    head = struct.pack("<IiiHHIIiiII", 108, 10, 13, 1, 32, 3, 0, 0, 0, 0, 0)
    head += struct.pack("<IIII", *masks) + bytes(108 - 56)
    start = b"BM" + struct.pack("<IHHI", 0, 0, 0, 14 + 108)
    (tmp_path / "a.bmp").write_bytes(start + head + LEVELS[::-1, :, [2, 1, 0, 3]].tobytes())
    assert np.array_equal(read_picture(tmp_path / "a.bmp").samples, LEVELS)
    # Without masks the fourth byte means nothing.
    pillow("RGBA")[0].save(tmp_path / "a.bmp")
    assert np.array_equal(read_picture(tmp_path / "a.bmp").samples, LEVELS[..., :3])


@pytest.mark.parametrize("channels", [1, 3])
def test_sixteen_bit_of_a_ppm_stay(tmp_path, channels):
    part = np.ascontiguousarray(DEEP[..., :channels])
    head = b"P%d\n# a remark\n10 13\n65535\n" % (5 if channels == 1 else 6)
    (tmp_path / "a.pnm").write_bytes(head + part.astype(">u2").tobytes())
    assert np.array_equal(read_picture(tmp_path / "a.pnm").samples, part)
    twelve = part >> 4
    head = head.replace(b"65535", b"4095")
    (tmp_path / "a.pnm").write_bytes(head + twelve.astype(">u2").tobytes())
    got = read_picture(tmp_path / "a.pnm").samples
    assert np.array_equal(got, np.round(twelve * (65_535 / 4095)))
    (tmp_path / "a.pnm").write_bytes((head + twelve.astype(">u2").tobytes())[:-1])
    with pytest.raises(UnreadablePictureError, match="truncated or damaged"):
        read_picture(tmp_path / "a.pnm")


def test_text_is_read_too(tmp_path):
    (tmp_path / "a.ppm").write_text("P3 2 1 # two px\n255\n1 2 3  40 50 60\n")
    assert read_picture(tmp_path / "a.ppm").samples.tolist() == [[[1, 2, 3], [40, 50, 60]]]
    (tmp_path / "a.ppm").write_text("P3 1 1 65535\n1 2 3\n")
    with pytest.raises(UnreadablePictureError, match="save it as binary PPM"):
        open_picture(tmp_path / "a.ppm")


def test_several_pictures_in_one_file_are_refused(tmp_path):
    one = b"P5 2 1 255\nab"
    (tmp_path / "a.pgm").write_bytes(one + b"\n" + one)
    with pytest.raises(UnreadablePictureError, match="several pictures"):
        open_picture(tmp_path / "a.pgm")


def test_sixteen_bit_grey_of_jpeg_2000_stay_and_colour_is_noted(tmp_path):
    grey = np.ascontiguousarray(DEEP[..., 0])
    Image.fromarray(grey).save(tmp_path / "a.jp2")
    assert np.array_equal(read_picture(tmp_path / "a.jp2").samples[..., 0], grey)
    # Pillow writes no colour of 16 bit, so the marker alone says it.
    pillow("RGB")[0].save(tmp_path / "b.j2k")
    content = bytearray((tmp_path / "b.j2k").read_bytes())
    depths = content.index(b"\xff\x51") + 2 + 38
    for channel in range(3):
        content[depths + 3 * channel] = 11
    (tmp_path / "b.j2k").write_bytes(content)
    assert open_picture(tmp_path / "b.j2k").notes[:1] == ("JPEG 2000 with 12 bit is read with 8",)


def box(kind, content):
    return struct.pack(">I4s", 8 + len(content), kind) + content


def with_boxes(content, change, more=b""):
    """Writes the boxes of a JP2 header anew."""
    at = content.index(b"jp2h") - 4
    (length,) = struct.unpack_from(">I", content, at)
    inner, out = content[at + 8 : at + length], b""
    while inner:
        (size,) = struct.unpack_from(">I", inner)
        out += change(inner[4:8], inner[8:size])
        inner = inner[size:]
    return content[:at] + box(b"jp2h", out) + more + content[at + length :]


def test_colours_of_jpeg_2000(tmp_path):
    pillow("RGB")[0].save(tmp_path / "a.jp2")
    plain = (tmp_path / "a.jp2").read_bytes()

    def colour(content):
        return lambda kind, old: box(kind, content if kind == b"colr" else old)

    profiled = with_boxes(plain, colour(b"\2\0\0" + PROFILE))
    (tmp_path / "a.jp2").write_bytes(profiled)
    assert open_picture(tmp_path / "a.jp2").icc_profile == PROFILE
    (tmp_path / "a.jp2").write_bytes(with_boxes(plain, colour(struct.pack(">BBBI", 1, 0, 0, 14))))
    with pytest.raises(UnreadablePictureError, match="space 14, which is not supported"):
        open_picture(tmp_path / "a.jp2")
    xmp = box(b"uuid", bytes.fromhex("be7acfcb97a942e89c71999491e3afac") + b"<x:xmpmeta/>")
    (tmp_path / "a.jp2").write_bytes(with_boxes(plain, box, xmp))
    assert open_picture(tmp_path / "a.jp2").notes == ("metadata of JPEG 2000 is not read",)


def test_a_channel_that_may_be_anything_is_refused(tmp_path):
    pillow("RGBA")[0].save(tmp_path / "a.jp2")
    content = (tmp_path / "a.jp2").read_bytes()
    without = with_boxes(content, lambda kind, old: b"" if kind == b"cdef" else box(kind, old))
    (tmp_path / "a.jp2").write_bytes(without)
    with pytest.raises(UnreadablePictureError, match="does not say that it is transparency"):
        open_picture(tmp_path / "a.jp2")
    pillow("RGBA")[0].save(tmp_path / "a.tga")
    content = bytearray((tmp_path / "a.tga").read_bytes())
    content[17] &= 0xF0  # no bits of it are alpha
    (tmp_path / "a.tga").write_bytes(content)
    assert np.array_equal(read_picture(tmp_path / "a.tga").samples, LEVELS[..., :3])


def test_profile_and_resolution_of_a_bmp(tmp_path):
    file = BytesIO()
    pillow("RGB")[0].save(file, "BMP", dpi=(300, 150))
    content = file.getvalue()
    (tmp_path / "a.bmp").write_bytes(content)
    dpi = open_picture(tmp_path / "a.bmp").dpi
    assert dpi == pytest.approx((300, 150), abs=0.02)
    old, px = content[14:54], content[54:]
    head = struct.pack("<I", 124) + old[4:] + bytes(16) + b"DEBM" + bytes(48)
    head += struct.pack("<IIII", 4, 124 + len(px), len(PROFILE), 0)
    start = b"BM" + struct.pack("<IHHI", 0, 0, 0, 14 + 124)
    (tmp_path / "a.bmp").write_bytes(start + head + px + PROFILE)
    source = open_picture(tmp_path / "a.bmp")
    assert source.icc_profile == PROFILE
    assert np.array_equal(read_picture(tmp_path / "a.bmp").samples, LEVELS[..., 1:])


@pytest.mark.parametrize("name", ["a.bmp", "a.ppm", "a.tga", "a.jp2", "a.j2k"])
def test_what_is_cut_or_spoilt_is_one_clear_error(tmp_path, name):
    noise = Image.fromarray(RANDOM.integers(0, 256, (40, 50, 3), np.uint8))
    noise.save(tmp_path / name)
    content = (tmp_path / name).read_bytes()
    for length in (3, 20, 60, len(content) // 2):
        (tmp_path / name).write_bytes(content[:length])
        with pytest.raises(UnreadablePictureError, match=r"damaged|no picture") as caught:
            read_picture(tmp_path / name)
        assert "\n" not in str(caught.value)
    (tmp_path / name).write_bytes(content)
    with pytest.raises(SizeError, match="50x40 px, more than 1,999"):
        open_picture(tmp_path / name, max_pixels=1999)


@pytest.mark.parametrize("name", ["a.bmp", "a.ppm", "a.tga", "a.jp2"])
def test_any_bytes_are_a_picture_or_one_clear_error(tmp_path, name):
    pillow("RGB")[0].save(tmp_path / name)
    content = (tmp_path / name).read_bytes()
    for seed in range(150):
        random = np.random.default_rng([seed, zlib.crc32(name.encode())])
        spoilt = bytearray(content)
        for at in random.integers(0, min(len(spoilt), 120), 3):
            spoilt[at] = random.integers(0, 256)
        (tmp_path / name).write_bytes(spoilt)
        try:
            source = open_picture(tmp_path / name, max_pixels=1_000_000)
            assert decode(source).shape == source.shape
        except (UnreadablePictureError, SizeError):
            continue


def test_a_text_with_the_name_of_a_picture_is_none(tmp_path):
    for name in ("a.tga", "a.bmp", "a.ppm", "a.jp2"):
        (tmp_path / name).write_text("Dear reader, this is a letter and no picture at all.")
        with pytest.raises(UnreadablePictureError):
            open_picture(tmp_path / name)


def test_how_far_off_jpeg_2000_is(tmp_path):
    pillow("RGB")[0].save(tmp_path / "a.jp2")
    pillow("RGB")[0].save(tmp_path / "b.jp2", irreversible=True, quality_layers=[20])
    assert compression_error_levels(tmp_path / "a.jp2", "JPEG 2000") == 0
    assert compression_error_levels(tmp_path / "b.jp2", "JPEG 2000") > 0


def test_looking_decodes_nothing(tmp_path):
    """A folder of thousands is listed by its headers; what is behind them is not even there."""
    for name, kept in (("a.bmp", 54), ("a.ppm", 15), ("a.tga", 18), ("a.jp2", 200)):
        Image.new("RGB", (400, 300)).save(tmp_path / name)
        (tmp_path / name).write_bytes((tmp_path / name).read_bytes()[:kept])
        if name != "a.jp2":  # its last box says how long it is
            assert open_picture(tmp_path / name).shape == (300, 400, 3)
        with pytest.raises(UnreadablePictureError):
            read_picture(tmp_path / name)


def test_a_size_that_is_said_twice_must_be_the_same(tmp_path):
    pillow("RGB")[0].save(tmp_path / "a.jp2")
    content = bytearray((tmp_path / "a.jp2").read_bytes())
    struct.pack_into(">I", content, content.index(b"\xff\x51") + 6, 60_000)
    (tmp_path / "a.jp2").write_bytes(content)
    with pytest.raises(UnreadablePictureError, match="two sizes"):
        open_picture(tmp_path / "a.jp2")
