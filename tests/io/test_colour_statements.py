"""Colours that a file states otherwise than by a profile that fits, and texts beside EXIF."""

import io
import struct
import zlib

import numpy as np
import pytest
import pyvips
from PIL import Image, ImageCms

from clearzoom.errors import ClearzoomError
from clearzoom.io.picture import Picture
from clearzoom.io.picture_file import PictureFile
from clearzoom.io.png import colour_of_png
from clearzoom.io.reading import decode, open_picture
from clearzoom.io.writing import write_picture

SRGB_PLACES = (31270, 32900, 64000, 33000, 30000, 60000, 15000, 6000)
ADOBE_PLACES = (31270, 32900, 64000, 33000, 21000, 71000, 15000, 6000)
CMYK_PROFILE = bytes(pyvips.Operation.call("profile_load", "cmyk"))


def png(path, samples, **chunks):
    Image.fromarray(samples).save(path)
    plain, added = path.read_bytes(), b""
    for name, data in chunks.items():
        kind = name.encode()
        added += struct.pack(">I", len(data)) + kind + data
        added += struct.pack(">I", zlib.crc32(kind + data))
    path.write_bytes(plain[:33] + added + plain[33:])
    return path


def gamma(value):
    return struct.pack(">I", value)


def places(values):
    return struct.pack(">8I", *values)


def shown(samples, profile):
    """What a viewer shows, in Lab."""
    image = pyvips.Image.new_from_array(samples, interpretation="srgb").copy()
    image.set_type(pyvips.GValue.blob_type, "icc-profile-data", profile)
    return np.array(image.icc_import(embedded=True, intent="relative")(2, 2))


@pytest.mark.parametrize(
    "chunks",
    [
        {"gAMA": gamma(45455)},
        {"gAMA": gamma(45450), "cHRM": places(SRGB_PLACES)},
        {"cHRM": places(ADOBE_PLACES)},  # without gAMA it means nothing
        {"gAMA": gamma(100000), "sRGB": b"\0"},
        {"gAMA": gamma(100000), "cICP": bytes((1, 13, 0, 1))},
    ],
)
def test_what_is_srgb_anyway_needs_no_profile(tmp_path, photo, chunks):
    with PictureFile(png(tmp_path / "p.png", photo[:8, :8], **chunks)) as file:
        assert colour_of_png(file.png_chunks, grey=False) == (None, None)


def test_gamma_and_primaries_become_a_profile(tmp_path, photo):
    path = png(tmp_path / "p.png", photo[:8, :8], gAMA=gamma(45455), cHRM=places(ADOBE_PLACES))
    source = open_picture(path)
    green = np.full((4, 4, 3), (0, 255, 0), np.uint8)
    # Lab of Adobe RGB's green at D50, as every colour calculator has it; libvips cuts at -128.
    np.testing.assert_allclose(shown(green, source.icc_profile), (83.2, -128, 87.2), atol=0.6)
    white = np.full((4, 4, 3), 255, np.uint8)
    np.testing.assert_allclose(shown(white, source.icc_profile), (100, 0, 0), atol=0.3)
    assert ImageCms.ImageCmsProfile(io.BytesIO(source.icc_profile)).profile.xcolor_space == "RGB "
    for suffix in (".png", ".tif", ".jpg", ".webp", ".avif"):
        picture = Picture(decode(source), icc_profile=source.icc_profile)
        assert write_picture(tmp_path / f"o{suffix}", picture) == []
        assert open_picture(tmp_path / f"o{suffix}").icc_profile == source.icc_profile


def test_linear_grey_becomes_a_grey_profile(tmp_path, photo):
    path = png(tmp_path / "p.png", photo[:8, :8, 0], gAMA=gamma(100000))
    source = open_picture(path)
    assert source.icc_profile[16:20] == b"GRAY"
    assert write_picture(tmp_path / "o.png", Picture(decode(source), source.icc_profile)) == []
    notes = write_picture(
        tmp_path / "o.webp", Picture(np.full((8, 8, 1), 55, np.uint8), source.icc_profile)
    )
    assert notes == ["WebP has no place for this profile: colours became sRGB"]
    assert abs(int(decode(open_picture(tmp_path / "o.webp")).mean()) - 128) <= 3


def test_cicp_is_p3_or_a_note(tmp_path, photo):
    path = png(tmp_path / "p.png", photo[:8, :8], cICP=bytes((12, 13, 0, 1)))
    assert open_picture(path).icc_profile == bytes(pyvips.Operation.call("profile_load", "p3"))
    for grey in (False, True):
        samples = photo[:8, :8, 0] if grey else photo[:8, :8]
        for transfer, name in ((16, "PQ"), (18, "HLG")):
            path = png(tmp_path / "q.png", samples, cICP=bytes((9, transfer, 0, 1)))
            assert open_picture(path).notes == (
                f"the picture is HDR ({name}), which is not kept: its levels count as sRGB's "
                "and look pale",
            )
        path = png(tmp_path / "q.png", samples, cICP=bytes((12, 13, 0, 1)))
        assert (open_picture(path).icc_profile is None) == grey


def test_orientation_in_a_text_is_applied(tmp_path, photo):
    """As ImageMagick wrote EXIF before PNG had a chunk for it."""
    samples = np.ascontiguousarray(photo[:20, :30])
    block = Image.Exif()
    for orientation, turned in ((6, np.rot90(samples, -1)), (3, np.rot90(samples, 2))):
        block[0x0112] = orientation
        content = block.tobytes()
        digits = content.hex()
        lines = "\n".join(digits[at : at + 72] for at in range(0, len(digits), 72))
        text = f"\nexif\n{len(content):8}\n{lines}\n".encode()
        name = b"Raw profile type exif\0"
        for chunk in ({"tEXt": name + text}, {"zTXt": name + b"\0" + zlib.compress(text)}):
            source = open_picture(png(tmp_path / "p.png", samples, **chunk))
            np.testing.assert_array_equal(decode(source), turned)
            assert source.shape == turned.shape
    broken = png(tmp_path / "p.png", samples, tEXt=b"Raw profile type exif\0\nexif\n 4\nzz\n")
    np.testing.assert_array_equal(decode(open_picture(broken)), samples)


@pytest.mark.parametrize("values", [(0,) * 8, (1, 0) * 4, (2**32 - 1,) * 8, (5, 5) * 4])
def test_primaries_that_make_no_sense_are_said(tmp_path, photo, values):
    path = png(tmp_path / "p.png", photo[:8, :8], gAMA=gamma(45455), cHRM=places(values))
    assert open_picture(path).notes == ("gAMA and cHRM make no sense: colours count as sRGB",)


@pytest.mark.parametrize("profile", [CMYK_PROFILE, b"no profile at all"])
def test_a_profile_that_does_not_fit_is_kept_or_said(tmp_path, photo, profile):
    for suffix in (".png", ".jpg", ".tif", ".webp", ".avif", ".gif"):
        path = tmp_path / f"p{suffix}"
        try:
            problems = write_picture(path, Picture(photo[:16, :16], icc_profile=profile))
        except ClearzoomError:
            continue
        kept = open_picture(path).icc_profile == profile
        assert kept != any("profile" in problem for problem in problems), suffix


def test_cmyk_with_a_broken_profile_becomes_rgb_all_the_same(tmp_path, photo):
    inks = np.zeros((16, 16, 4), np.uint8)
    write_picture(tmp_path / "p.tif", Picture(inks, icc_profile=b"broken", cmyk=True))
    source = open_picture(tmp_path / "p.tif", keep_cmyk=False)
    assert decode(source).min() >= 250
