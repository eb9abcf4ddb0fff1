"""Which page of a TIFF is read, and what of its kinds is refused."""

import io

import imagecodecs
import numpy as np
import pytest
import pyvips
import tifffile
from PIL import Image

from clearzoom.errors import InputError, MissingFileError, UnreadablePictureError
from clearzoom.io.picture_file import PictureFile
from clearzoom.io.reading import decode, open_picture
from clearzoom.io.tiff_compressions import has_tiff_compression
from clearzoom.io.tiff_pages import count_pictures

COPY = "the smaller copy beside the picture is not kept"
MASK = "the mask beside the picture is not kept, and not applied"


def pages(path, *written):
    with tifffile.TiffWriter(path) as writer:
        for samples, options in written:
            writer.write(samples, **({"photometric": "rgb", "metadata": None} | options))
    return path


@pytest.fixture
def small(photo):
    return np.ascontiguousarray(photo[:64:4, :96:4])


@pytest.fixture
def mask(photo):
    return photo[:64, :96, 0] > 100


def test_the_main_page_is_read_wherever_it_stands(tmp_path, photo, small, mask):
    picture = np.ascontiguousarray(photo[:64, :96])
    thumbnail = (small, {"subfiletype": 1})
    of_px = (mask, {"subfiletype": 4, "photometric": "mask"})
    for name, written, notes in [
        ("thumbnail behind", [(picture, {}), thumbnail], (COPY,)),
        ("thumbnail first", [thumbnail, (picture, {})], (COPY,)),
        ("mask behind", [(picture, {}), of_px], (MASK,)),
        ("both", [thumbnail, (picture, {}), of_px], (MASK, COPY)),
        ("below a thumbnail", [(small, {"subfiletype": 1, "subifds": 1}), (picture, {})], (COPY,)),
        ("thumbnail below", [(picture, {"subifds": 1}), thumbnail], (COPY,)),
    ]:
        source = open_picture(pages(tmp_path / "p.tif", *written))
        np.testing.assert_array_equal(decode(source), picture, err_msg=name)
        assert source.notes == notes, name


def test_several_pictures_are_refused_and_a_pyramid_is_one(tmp_path, photo, small):
    picture = np.ascontiguousarray(photo[:64, :96])
    with pytest.raises(UnreadablePictureError, match="2 pages"):
        open_picture(pages(tmp_path / "p.tif", (picture, {}), (small, {})))
    image = pyvips.Image.new_from_array(photo)
    image.tiffsave(tmp_path / "q.tif", tile=True, pyramid=True, tile_width=64, tile_height=64)
    source = open_picture(tmp_path / "q.tif")
    written = image.new_from_file(str(tmp_path / "q.tif"))
    with PictureFile(tmp_path / "q.tif") as file:
        assert file.main_page.halves == written.get("n-pages")
    np.testing.assert_array_equal(decode(source), photo)
    assert not source.notes


def test_a_page_behind_its_thumbnail_is_turned_as_the_first_page_says(tmp_path, photo, small):
    picture = np.ascontiguousarray(photo[:64, :96])
    first = {"subfiletype": 1, "subifds": 1, "extratags": [(274, 3, 1, 6, True)]}
    path = pages(tmp_path / "p.tif", (small, first), (picture, {}))
    np.testing.assert_array_equal(decode(open_picture(path)), np.rot90(picture, -1))


@pytest.mark.parametrize("tile", [None, (32, 32)])
def test_old_style_jpeg_is_refused(tmp_path, photo, tile):
    path = tmp_path / "p.tif"
    tifffile.imwrite(path, photo[:64, :96], photometric="rgb", compression="jpeg", tile=tile)
    with tifffile.TiffFile(path, mode="r+b") as file:
        file.pages[0].tags["Compression"].overwrite(6)
    with pytest.raises(UnreadablePictureError, match="old-style JPEG, is not supported"):
        open_picture(path)


@pytest.mark.parametrize(
    ("compression", "name"),
    [
        ("zstd", "Zstandard"),
        ("lzma", "LZMA"),
        ("jpeg2000", "JPEG 2000"),
        ("jpegxl", "JPEG XL"),
        ("jpegxr", "JPEG XR"),
        ("lerc", "LERC"),
        ("png", "PNG"),
        ("webp", "WebP"),
    ],
)
def test_a_compression_is_read_or_named(tmp_path, photo, compression, name):
    path = tmp_path / "p.tif"
    part = np.ascontiguousarray(photo[:64, :96])
    tifffile.imwrite(path, part, photometric="rgb", compression=compression)
    if has_tiff_compression(compression):
        np.testing.assert_array_equal(decode(open_picture(path)), part)
    else:
        with pytest.raises(UnreadablePictureError, match=f"{name}, is not supported"):
            open_picture(path)


def test_what_only_begins_like_a_usual_jpeg_is_named(tmp_path, photo):
    part = np.ascontiguousarray(photo[:64, :96])
    deep = part.astype(np.uint16) << 4
    twelve = imagecodecs.jpeg8_encode(deep, bitspersample=12, level=95)
    for coded, said in [
        (imagecodecs.jpegls_encode(part), "JPEG-LS, is not supported"),
        (twelve, "JPEG with 12-bit samples, is not supported"),
        # Behind a long segment, with fill bytes and a stray byte before the next.
        (twelve[:2] + b"\xff\xfe\x80\0" + bytes(32_766) + b"\0\xff\xff" + twelve[2:], "12-bit"),
    ]:
        (tmp_path / "p.jpg").write_bytes(coded)
        with pytest.raises(UnreadablePictureError, match=said):
            open_picture(tmp_path / "p.jpg")
    tifffile.imwrite(
        tmp_path / "p.tif",
        deep,
        photometric="rgb",
        compression="jpeg",
        compressionargs={"bitspersample": 12},
    )
    with pytest.raises(UnreadablePictureError, match="12-bit samples"):
        open_picture(tmp_path / "p.tif")
    lossless = imagecodecs.jpeg8_encode(part, lossless=True)
    (tmp_path / "p.jpg").write_bytes(lossless)
    np.testing.assert_array_equal(decode(open_picture(tmp_path / "p.jpg")), part)


def test_raw_files_of_cameras_are_no_thumbnails(tmp_path, photo, small):
    sensor = photo[:64, :96, 0].astype(np.uint16) << 4
    path = pages(
        tmp_path / "p.tif",
        (small, {"subfiletype": 1, "subifds": 1}),
        (sensor, {"photometric": "cfa", "extratags": [(33421, 3, 2, (2, 2), True)]}),
    )
    with pytest.raises(UnreadablePictureError, match="raw file"):
        open_picture(path)


def test_damaged_directories_are_an_answer(tmp_path, photo, random):
    buffer = io.BytesIO()
    Image.fromarray(photo[:16, :16]).save(buffer, "TIFF")
    whole = buffer.getvalue()
    start = int.from_bytes(whole[4:8], "little")
    for _ in range(60):
        spoilt = bytearray(whole)
        for at in random.integers(start, len(whole), 3):
            spoilt[at] = random.integers(256)
        (tmp_path / "p.tif").write_bytes(spoilt)
        try:
            decode(open_picture(tmp_path / "p.tif", max_pixels=10_000))
        except InputError:
            continue


def test_a_page_is_read_by_its_number(tmp_path, photo, small, mask):
    one, two = np.ascontiguousarray(photo[:64, :96]), np.ascontiguousarray(photo[80:99, :31])
    thumbnail = (small, {"subfiletype": 1})
    of_px = (mask, {"subfiletype": 4, "photometric": "mask"})
    path = pages(tmp_path / "p.tif", thumbnail, (one, {}), of_px, (two, {}))
    for number, picture in ((1, one), (2, two)):
        source = open_picture(path, page=number)
        assert (source.width_px, source.height_px) == (picture.shape[1], picture.shape[0])
        np.testing.assert_array_equal(decode(source), picture)
    for number in (0, 3):
        with pytest.raises(MissingFileError, match="2 pages"):
            open_picture(path, page=number)
    with path.open("rb") as file:
        assert count_pictures(file) == 2


def test_what_is_one_picture_counts_as_one(tmp_path, photo, small):
    image = pyvips.Image.new_from_array(photo)
    image.tiffsave(tmp_path / "q.tif", tile=True, pyramid=True, tile_width=64, tile_height=64)
    image.pngsave(tmp_path / "q.png")
    pages(tmp_path / "r.tif", (photo, {}), (small, {"subfiletype": 1}))
    for name in ("q.tif", "q.png", "r.tif"):
        with (tmp_path / name).open("rb") as file:
            assert count_pictures(file) == 1, name


def test_a_page_is_turned_as_it_says_itself(tmp_path, photo):
    turned = {"extratags": [(274, 3, 1, 6, True)]}
    one, two = np.ascontiguousarray(photo[:64, :96]), np.ascontiguousarray(photo[80:99, :31])
    path = pages(tmp_path / "p.tif", (one, turned), (two, {}))
    np.testing.assert_array_equal(decode(open_picture(path, page=1)), np.rot90(one, -1))
    np.testing.assert_array_equal(decode(open_picture(path, page=2)), two)
