"""Colours that a file states by code points or by EXIF, and not by a profile."""

import io
import struct

import imagecodecs
import numpy as np
import pillow_heif
import pytest
import pyvips
from PIL import Image, ImageCms

from clearzoom.core.targets import Wanted
from clearzoom.io.icc_builder import adobe_profile, cicp_profile
from clearzoom.io.reading import open_picture
from clearzoom.pipeline.job import plan_job
from clearzoom.pipeline.run import run_job
from clearzoom.pipeline.settings import Settings

P3 = bytes(pyvips.Operation.call("profile_load", "p3"))
HDR = "the picture is HDR ({}), which is not kept: its levels count as sRGB's and look pale"


def avif(path, samples, primaries, transfer):
    path.write_bytes(
        imagecodecs.avif_encode(samples, 98, primaries=primaries, transfer=transfer, matrix=6)
    )
    return path


def heic(path, samples, primaries, transfer):
    pillow_heif.from_pillow(Image.fromarray(samples)).save(
        path, color_primaries=primaries, transfer_characteristics=transfer, matrix_coefficients=6
    )
    return path


def directory(at, *entries):
    """A little-endian directory and what does not fit into it."""
    packed, values = struct.pack("<H", len(entries)), b""
    after = at + 2 + 12 * len(entries) + 4
    for number, kind, count, data in entries:
        where = data.ljust(4, b"\0")
        if len(data) > 4:
            where, values = struct.pack("<I", after + len(values)), values + data
        packed += struct.pack("<HHI", number, kind, count) + where
    return packed + bytes(4) + values


def exif(colour_space, index):
    """EXIF with its own directory at 26, and that of interoperability at 56."""
    own = [] if colour_space is None else [(0xA001, 3, 1, struct.pack("<H", colour_space))]
    own += [] if index is None else [(0xA005, 4, 1, struct.pack("<I", 56))]
    below = [] if index is None else [(1, 2, 4, index + b"\0")]
    first = directory(8, (0x8769, 4, 1, struct.pack("<I", 26)))
    return (
        b"II*\0\x08\0\0\0" + (first + directory(26, *own)).ljust(48, b"\0") + directory(56, *below)
    )


def in_d50(profile):
    """XYZ of red, green and blue, as another library reads the profile."""
    read = ImageCms.ImageCmsProfile(io.BytesIO(profile)).profile
    return np.array([each[0] for each in (read.red_colorant, read.green_colorant)])


@pytest.mark.slow
@pytest.mark.parametrize("write", [avif, heic])
def test_nclx_becomes_a_profile_or_a_note(tmp_path, photo, write):
    samples = np.ascontiguousarray(photo[:64, :64])
    for primaries, transfer, profile, notes in [
        (12, 13, P3, ()),
        (1, 13, None, ()),
        (2, 2, None, ()),
        (9, 16, None, (HDR.format("PQ"),)),
        (9, 18, None, (HDR.format("HLG"),)),
        (9, 13, cicp_profile(9, 13, grey=False)[0], ()),
    ]:
        source = open_picture(write(tmp_path / "p.x", samples, primaries, transfer))
        assert source.icc_profile == profile, (primaries, transfer)
        assert source.notes == notes, (primaries, transfer)


def test_a_profile_in_the_file_goes_before_nclx(tmp_path, photo):
    Image.fromarray(photo[:32, :32]).save(
        tmp_path / "p.avif", icc_profile=adobe_profile(grey=False)
    )
    assert open_picture(tmp_path / "p.avif").icc_profile == adobe_profile(grey=False)


def test_made_profiles_are_what_others_read_in_them():
    # XYZ at D50 of the primaries, as published with the colour spaces.
    np.testing.assert_allclose(
        in_d50(cicp_profile(9, 13, grey=False)[0]),
        [(0.6734, 0.2790, -0.0019), (0.1656, 0.6753, 0.0299)],
        atol=2e-3,
    )
    np.testing.assert_allclose(
        in_d50(adobe_profile(grey=False)),
        [(0.6097, 0.3111, 0.0195), (0.2053, 0.6257, 0.0609)],
        atol=2e-3,
    )
    ours = ImageCms.ImageCmsProfile(io.BytesIO(cicp_profile(9, 13, grey=False)[0]))
    srgb = ImageCms.createProfile("sRGB")
    greys = Image.fromarray(np.arange(256, dtype=np.uint8).repeat(3).reshape(1, 256, 3))
    there = ImageCms.profileToProfile(greys, ours, srgb)
    assert np.abs(np.asarray(there).astype(int) - np.asarray(greys)).max() <= 1


@pytest.mark.parametrize(
    ("colour_space", "index", "means"),
    [
        (65535, b"R03", True),
        (None, b"R03", True),
        (2, None, True),
        (1, b"R98", False),
        (1, b"R03", False),
        (None, None, False),
    ],
)
def test_exif_states_adobe_rgb_in_every_format(tmp_path, photo, colour_space, index, means):
    block = exif(colour_space, index)
    picture = Image.fromarray(photo[:32, :32])
    expected = adobe_profile(grey=False) if means else None
    for suffix in (".jpg", ".png", ".webp", ".avif"):
        path = tmp_path / f"p{suffix}"
        picture.save(path, exif=b"Exif\0\0" + block)
        assert open_picture(path).icc_profile == expected, suffix
    pillow_heif.from_pillow(picture).save(tmp_path / "p.heic", exif=block)
    assert open_picture(tmp_path / "p.heic").icc_profile == expected
    # A TIFF whose own directory lies behind such a block.
    px = np.full((8, 8, 3), 90, np.uint8).tobytes()
    at = len(block) + len(px)
    tags = directory(
        at,
        (256, 3, 1, struct.pack("<H", 8)),
        (257, 3, 1, struct.pack("<H", 8)),
        (258, 3, 3, struct.pack("<3H", 8, 8, 8)),
        (259, 3, 1, struct.pack("<H", 1)),
        (262, 3, 1, struct.pack("<H", 2)),
        (273, 4, 1, struct.pack("<I", len(block))),
        (277, 3, 1, struct.pack("<H", 3)),
        (278, 3, 1, struct.pack("<H", 8)),
        (279, 4, 1, struct.pack("<I", len(px))),
        (0x8769, 4, 1, struct.pack("<I", 26)),
    )
    path = tmp_path / "p.tif"
    path.write_bytes(b"II*\0" + struct.pack("<I", at) + block[8:] + px + tags)
    assert open_picture(path).icc_profile == expected


def test_adobe_rgb_of_exif_reaches_the_result(tmp_path, photo):
    block = b"Exif\0\0" + exif(65535, b"R03")
    Image.fromarray(photo[:16, :16]).save(tmp_path / "p.jpg", exif=block)
    for suffix in (".tif", ".webp"):
        target = tmp_path / f"o{suffix}"
        run_job(plan_job(tmp_path / "p.jpg", target, Settings(Wanted(2), "fast")))
        with Image.open(target) as theirs:
            assert theirs.info["icc_profile"] == adobe_profile(grey=False), suffix


def test_colours_that_exif_says_are_not_srgb_are_said(tmp_path, photo):
    block = b"Exif\0\0" + exif(65535, None)
    Image.fromarray(photo[:16, :16]).save(tmp_path / "p.jpg", exif=block)
    assert open_picture(tmp_path / "p.jpg").notes == (
        "EXIF says that the colours are not sRGB's, but not which: they count as sRGB",
    )
