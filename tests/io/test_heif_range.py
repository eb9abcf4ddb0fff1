"""Levels of AVIF and HEIC: black is 0 and white is the most, whatever they are coded as."""

import imagecodecs
import numpy as np
import pillow_heif
import pytest
from PIL import Image

from clearzoom.errors import SizeError
from clearzoom.io.heif_colours import heif_colours
from clearzoom.io.picture_file import PictureFile
from clearzoom.io.reading import decode, open_picture

RAMP = np.tile(np.arange(256, dtype=np.uint8), (64, 1))


@pytest.mark.parametrize("limits", ["full", "limited"])
@pytest.mark.parametrize("told", [True, False])
def test_grey_avif_has_the_whole_range(tmp_path, limits, told):
    path = tmp_path / "p.avif"
    Image.fromarray(RAMP).save(path, quality=100, subsampling="4:0:0", range=limits)
    if not told:  # then it stands in the coded picture alone
        path.write_bytes(path.read_bytes().replace(b"colrnclx", b"freenclx"))
        with PictureFile(path) as file:
            assert heif_colours(file.heif_properties).nclx is None
    got = decode(open_picture(path))
    assert (got.min(), got.max()) == (0, 255)
    with Image.open(path) as theirs:
        assert np.abs(got[..., 0].astype(int) - np.asarray(theirs.convert("L"))).max() <= 1
    assert np.abs(got[..., 0].astype(int) - RAMP).max() <= 2


def test_grey_with_alpha_keeps_its_alpha(tmp_path):
    picture = Image.fromarray(np.dstack([RAMP, RAMP[:, ::-1]]), "LA")
    picture.save(tmp_path / "p.avif", quality=100, subsampling="4:0:0", range="limited")
    got = decode(open_picture(tmp_path / "p.avif"))
    assert np.abs(got[..., 0].astype(int) - RAMP).max() <= 2
    assert np.abs(got[..., -1].astype(int) - RAMP[:, ::-1]).max() <= 2


@pytest.mark.parametrize("bits", [10, 12])
def test_white_of_deep_avif_is_white(tmp_path, bits):
    most = 2**bits - 1
    samples = np.linspace(0, most, 256).round().astype(np.uint16)
    samples = np.tile(samples[None, :, None], (64, 1, 3))
    path = tmp_path / "p.avif"
    path.write_bytes(imagecodecs.avif_encode(samples, 100, bitspersample=bits))
    got = decode(open_picture(path))
    assert got.dtype == np.uint16
    assert (got.min(), got.max()) == (0, 65535)
    np.testing.assert_allclose(got, samples * (65535 / most), atol=3 * 65535 / most)


def test_white_of_deep_heic_is_white(tmp_path):
    samples = np.tile(np.arange(1024, dtype=np.uint16) << 6, (64, 1))
    pillow_heif.from_bytes("I;16", (1024, 64), samples.tobytes()).save(
        tmp_path / "p.heic", quality=-1
    )
    got = decode(open_picture(tmp_path / "p.heic"))
    assert (got.min(), got.max()) == (0, 65535)


def test_the_limit_on_px_holds_before_anything_is_decoded(tmp_path):
    path = tmp_path / "p.avif"
    Image.fromarray(RAMP).save(path, subsampling="4:0:0", range="limited")
    path.write_bytes(path.read_bytes().replace(b"colrnclx", b"freenclx"))
    with pytest.raises(SizeError, match="more than 100;"):
        open_picture(path, max_pixels=100)


def test_boxes_that_are_cut_say_nothing(tmp_path, random):
    path = tmp_path / "p.avif"
    Image.fromarray(RAMP).save(path)
    whole = path.read_bytes()
    for _ in range(300):
        spoilt = bytearray(whole[: random.integers(1, len(whole))])
        spoilt[random.integers(len(spoilt))] = random.integers(256)
        path.write_bytes(spoilt)
        with PictureFile(path) as file:
            heif_colours(file.heif_properties)


def test_avif_under_a_brand_that_heic_shares_is_avif(tmp_path):
    path = tmp_path / "p.avif"
    Image.fromarray(RAMP).save(path, quality=100)
    content = path.read_bytes()
    path.write_bytes(content[:8] + b"mif1" + content[12:])
    source = open_picture(path)
    assert source.kind == "AVIF"
    assert np.abs(decode(source)[..., 0].astype(int) - RAMP).max() <= 2
