"""Reading and writing, in and out through every format."""

import io
import os
import zipfile

import numpy as np
import pytest
import pyvips
import tifffile
from PIL import Image, ImageCms

from clearzoom.errors import (
    InputError,
    MissingFileError,
    OutputError,
    SizeError,
    UnreadablePictureError,
)
from clearzoom.io.atomic import whole_file
from clearzoom.io.formats import check_target
from clearzoom.io.metadata.blocks import Metadata, read_metadata
from clearzoom.io.picture import Picture
from clearzoom.io.raw_tiff import stream_picture
from clearzoom.io.reading import decode, decode_rgb8, open_picture, read_picture
from clearzoom.io.writing import Encoding, encode, write_picture

LOSSLESS = [".png", ".tif", ".tiff"]
LOSSY = [".jpg", ".jpeg", ".webp"]


@pytest.mark.parametrize("suffix", LOSSLESS)
@pytest.mark.parametrize("bands", [1, 2, 3, 4])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_lossless_formats_keep_every_sample(tmp_path, random, suffix, bands, dtype):
    samples = random.integers(np.iinfo(dtype).max + 1, size=(9, 7, bands)).astype(dtype)
    write_picture(tmp_path / f"p{suffix}", Picture(samples, dpi=(300.0, 150.0)))
    back = read_picture(tmp_path / f"p{suffix}")
    np.testing.assert_array_equal(back.samples, samples)
    assert back.samples.dtype == dtype
    assert back.dpi == pytest.approx((300, 150), abs=0.1)


@pytest.mark.parametrize("suffix", LOSSY)
@pytest.mark.parametrize("bands", [1, 3])
def test_lossy_formats_stay_close(tmp_path, photo, suffix, bands):
    samples = photo[:64, :64, :bands]
    write_picture(tmp_path / f"p{suffix}", Picture(samples))
    back = read_picture(tmp_path / f"p{suffix}").samples
    # WebP has no grey: it comes back as three equal channels.
    difference = np.abs(back.astype(int) - samples).mean()
    assert difference < 4
    with Image.open(tmp_path / f"p{suffix}") as theirs:
        assert theirs.size == (64, 64)


def test_jpeg_is_written_without_chroma_subsampling(tmp_path, photo):
    write_picture(tmp_path / "p.jpg", Picture(photo))
    with Image.open(tmp_path / "p.jpg") as theirs:
        assert {(h, v) for _, h, v, _ in theirs.layer} == {(1, 1)}


def test_deep_samples_round_to_8_bit_where_the_format_has_no_more(tmp_path):
    grey = np.full((8, 8, 3), 257 * 100 + 120, np.uint16)
    write_picture(tmp_path / "p.jpg", Picture(grey))
    assert abs(int(read_picture(tmp_path / "p.jpg").samples.mean()) - 100) <= 1


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_cmyk_stays_cmyk_in_jpeg_whatever_its_depth(tmp_path, dtype):
    top = np.iinfo(dtype).max
    inks = np.full((16, 16, 4), (0, top // 2, top, 0), dtype)
    write_picture(tmp_path / "p.jpg", Picture(inks, cmyk=True))
    back = read_picture(tmp_path / "p.jpg")
    assert back.cmyk
    assert np.abs(back.samples.astype(int) - (0, 127, 255, 0)).max() <= 2


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_premultiplied_colour_becomes_straight(tmp_path, dtype):
    top = np.iinfo(dtype).max
    samples = np.full((16, 16, 4), (top // 2, top // 4, 0, top // 2), dtype)
    tifffile.imwrite(
        tmp_path / "p.tif", samples, photometric="rgb", extrasamples=["assocalpha"], metadata=None
    )
    back = read_picture(tmp_path / "p.tif").samples
    expected = np.array([top, top / 2, 0, top / 2])
    assert np.abs(back - expected).max() <= 2
    tifffile.imwrite(
        tmp_path / "s.tif", samples, photometric="rgb", extrasamples=["unassalpha"], metadata=None
    )
    np.testing.assert_array_equal(read_picture(tmp_path / "s.tif").samples, samples)


def test_heic_is_read_with_its_profile_and_metadata(tmp_path, photo):
    import pillow_heif

    exif = Image.Exif()
    exif[0x010F] = "Canon"
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    made = pillow_heif.from_pillow(Image.fromarray(photo))
    made.save(tmp_path / "p.heic", quality=95, exif=exif.tobytes(), icc_profile=profile)
    source = open_picture(tmp_path / "p.heic")
    assert source.icc_profile == profile
    assert b"Canon" in read_metadata(tmp_path / "p.heic")[0].exif
    assert np.abs(decode(source).astype(int) - photo).mean() < 4
    (tmp_path / "cut.heic").write_bytes((tmp_path / "p.heic").read_bytes()[:3000])
    with pytest.raises(UnreadablePictureError, match="truncated or damaged"):
        read_picture(tmp_path / "cut.heic")


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".tif"])
def test_a_resolution_that_is_not_stated_is_none(tmp_path, photo, suffix):
    Image.fromarray(photo).save(tmp_path / f"p{suffix}")
    assert read_picture(tmp_path / f"p{suffix}").dpi is None


def test_a_profile_survives(tmp_path, photo):
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    write_picture(tmp_path / "p.png", Picture(photo, icc_profile=profile))
    assert read_picture(tmp_path / "p.png").icc_profile == profile


def test_palette_orientation_and_cmyk_become_plain_pictures(tmp_path, photo):
    whole = Image.fromarray(photo)
    whole.quantize(16).save(tmp_path / "palette.png")
    assert read_picture(tmp_path / "palette.png").samples.shape == (300, 451, 3)
    exif = Image.Exif()
    exif[0x0112] = 6  # a quarter turn
    whole.save(tmp_path / "turned.jpg", exif=exif)
    assert read_picture(tmp_path / "turned.jpg").samples.shape == (451, 300, 3)
    whole.convert("CMYK").save(tmp_path / "cmyk.jpg", quality=95)
    cmyk = read_picture(tmp_path / "cmyk.jpg")
    assert (cmyk.samples.shape, cmyk.cmyk, cmyk.has_alpha) == ((300, 451, 4), True, False)
    source = open_picture(tmp_path / "cmyk.jpg", keep_cmyk=False)
    assert source.icc_profile is not None
    assert decode(source).shape == (300, 451, 3)
    assert np.abs(decode(source).astype(int) - photo).mean() < 40


def test_measuring_reads_grey_as_three_equal_channels(tmp_path, photo):
    write_picture(tmp_path / "grey.png", Picture(photo[..., :1]))
    pixels = decode_rgb8((tmp_path / "grey.png").read_bytes())
    np.testing.assert_array_equal(pixels, np.repeat(photo[..., :1], 3, axis=2))


def test_bad_input_is_told_apart(tmp_path, photo):
    write_picture(tmp_path / "p.png", Picture(photo))
    whole = (tmp_path / "p.png").read_bytes()
    for suffix in (".png", ".jpg", ".webp", ".tif"):
        write_picture(tmp_path / f"q{suffix}", Picture(photo))
        encoded = (tmp_path / f"q{suffix}").read_bytes()
        for part in (len(encoded) // 2, len(encoded) - 600):
            (tmp_path / f"cut{suffix}").write_bytes(encoded[:part])
            with pytest.raises(UnreadablePictureError, match="truncated or damaged"):
                read_picture(tmp_path / f"cut{suffix}")
    for name, content, words in (
        ("empty.png", b"", "is empty"),
        ("text.png", b"hello, this is no picture", "is no picture"),
        ("header.png", whole[:20], "truncated or damaged"),
        ("stream.jxl", b"\xff\x0a\xfa\x1f\x01\x90", "is JPEG XL"),
        ("boxes.png", b"\0\0\0\x0cJXL \r\n\x87\n\0\0\0\x14ftypjxl ", "is JPEG XL"),
        ("a.psd", b"8BPS\0\1" + bytes(40), "is a Photoshop document; save it as TIFF or PNG"),
        ("a.xcf", b"gimp xcf v011\0" + bytes(40), "is a document of GIMP, with layers; export it"),
        ("a.clip", b"CSFCHUNK" + bytes(40), "is a document of Clip Studio Paint, with layers"),
        ("a.kra", zipped("application/x-krita"), "is a document of Krita, with layers; export it"),
        ("a.ora", zipped("image/openraster"), "is a document of Krita, MyPaint or GIMP"),
        ("a.zip", zipped("application/zip"), "is no picture that can be read"),
        ("a.svg", b'<svg xmlns="http://www.w3.org/2000/svg"/>', "is a drawing of lines and shapes"),
        ("a.cr3", b"\0\0\0\x18ftypcrx \0\0\0\1crx isom" + bytes(9), "raw file; develop it"),
        ("a.raf", b"FUJIFILMCCD-RAW 0201" + bytes(20), "raw file; develop it"),
        ("a.jpg", b"\0\0\0\x14ftypqt  \0\0\0\0qt  " + bytes(9), "is a film; save the frames"),
        ("a.png", b"%PDF-1.7\n" + bytes(9), "is a PDF"),
    ):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(UnreadablePictureError, match=words):
            read_picture(tmp_path / name)
    with pytest.raises(MissingFileError, match="no file"):
        read_picture(tmp_path / "nothing.png")
    with pytest.raises(InputError, match="is a folder"):
        read_picture(tmp_path)
    (tmp_path / "dead.png").symlink_to("gone.png")
    with pytest.raises(MissingFileError, match=r"dead.png is a link to gone.png, which is not"):
        read_picture(tmp_path / "dead.png")


def test_pages_and_float_samples_are_refused_rather_than_lost(tmp_path, photo):
    frames = [Image.fromarray(photo), Image.fromarray(photo[::-1])]
    frames[0].save(tmp_path / "two.tif", save_all=True, append_images=frames[1:])
    with pytest.raises(UnreadablePictureError, match="2 pages"):
        read_picture(tmp_path / "two.tif")
    Image.fromarray(np.zeros((4, 4), np.float32)).save(tmp_path / "float.tif")
    with pytest.raises(UnreadablePictureError, match="float samples"):
        read_picture(tmp_path / "float.tif")


def test_targets_are_checked_before_any_work(tmp_path):
    def check(name, height=4, width=4, has_alpha=False):
        check_target(tmp_path / name, width, height, has_alpha=has_alpha)

    check("fine.png")
    with pytest.raises(OutputError, match="end its name in"):
        check("p.bmp")
    with pytest.raises(OutputError, match="make the folder"):
        check("none/p.png")
    with pytest.raises(OutputError, match="no transparency"):
        check("p.jpg", has_alpha=True)
    with pytest.raises(SizeError, match="16,383"):
        check("p.webp", width=16_384)
    (tmp_path / "folder.png").mkdir()
    with pytest.raises(OutputError, match="is a folder"):
        check("folder.png")


def zipped(kind):
    """Make an archive as painting programs do: the first file in it states what it is."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("mimetype", kind)
        archive.writestr("maindoc.xml", "<DOC/>")
    return file.getvalue()


@pytest.mark.parametrize("suffix", [*LOSSLESS, *LOSSY, ".avif", ".gif"])
def test_a_name_need_not_be_utf_8(tmp_path, photo, suffix):
    folder = tmp_path / os.fsdecode(b"\xff [1]")
    folder.mkdir()
    write_picture(folder / os.fsdecode(b"p\xff" + suffix.encode()), Picture(photo[:20, :30]))
    (path,) = folder.iterdir()
    source = open_picture(path)
    assert decode(source).shape[:2] == (20, 30)
    assert not read_metadata(path)[1]


def test_a_large_picture_in_a_folder_whose_name_is_not_utf_8(tmp_path, photo):
    folder = tmp_path / os.fsdecode(b"\xff")
    folder.mkdir()
    write_picture(tmp_path / "p.png", Picture(photo))
    spooled = decode(open_picture(tmp_path / "p.png"), folder / "0.tif")
    spooled.flush()
    np.testing.assert_array_equal(stream_picture(folder / "0.tif").numpy(), photo)


@pytest.mark.parametrize("suffix", LOSSY)
def test_a_picture_that_streams_is_made_small_too(tmp_path, photo, suffix):
    write_picture(tmp_path / "p.tif", Picture(photo))
    image = stream_picture(tmp_path / "p.tif")
    target = tmp_path / f"q{suffix}"
    with whole_file(target) as temporary:
        encode(temporary, target, image, None, None, Metadata(), Encoding(95, 20_000))
    assert 5_000 < target.stat().st_size <= 20_000
    assert {path.name for path in tmp_path.iterdir()} == {"p.tif", target.name}


@pytest.mark.parametrize("inside", [False, True])
def test_a_pyramid_is_one_picture(tmp_path, photo, inside):
    """Each page half of the one before: deep-zoom programs write such TIFFs."""
    image = pyvips.Image.new_from_array(np.ascontiguousarray(photo))
    path = tmp_path / "pyramid.tif"
    image.tiffsave(str(path), tile=True, tile_width=64, pyramid=True, subifd=inside)
    assert open_picture(path).frames == 1
    np.testing.assert_array_equal(read_picture(path).samples, photo)


def test_pages_that_are_no_halves_are_refused(tmp_path, photo):
    pages = [Image.fromarray(photo[:100, : 100 + i]) for i in range(2)]
    pages[0].save(tmp_path / "pages.tif", save_all=True, append_images=pages[1:])
    with pytest.raises(UnreadablePictureError, match="2 pages"):
        open_picture(tmp_path / "pages.tif")


def test_a_lowered_quality_is_said(tmp_path, photo):
    picture = Picture(np.ascontiguousarray(photo[:120, :160]))
    for suffix in (".jpg", ".webp", ".avif"):
        target = tmp_path / f"o{suffix}"
        assert write_picture(target, picture, Encoding(max_bytes=10**6)) == []
        (note,) = write_picture(target, picture, Encoding(max_bytes=3_456))
        quality = int(
            note.removeprefix("the quality is ").removesuffix(", for at most 3,456 bytes")
        )
        size = target.stat().st_size
        assert 1 <= quality < 95
        write_picture(target, picture, Encoding(quality=quality))
        assert target.stat().st_size == size <= 3_456


def test_avif_gets_no_exif_that_the_picture_has_not(tmp_path, photo):
    target = tmp_path / "o.avif"
    write_picture(target, Picture(np.ascontiguousarray(photo[:40, :60])))
    assert b"Exif\0\0" not in target.read_bytes()
    assert read_picture(target).metadata.exif is None
    write_picture(target, Picture(np.ascontiguousarray(photo[:40, :60]), dpi=(300.0, 300.0)))
    assert read_picture(target).dpi == pytest.approx((300, 300))
