from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import clearzoom
from clearzoom.errors import InputError, MissingFileError, OutputError
from clearzoom.io.reading import read_picture


@pytest.fixture
def enlarge(small_weights):
    return lambda picture: clearzoom.enlarge(picture, 2, str(small_weights))


@pytest.mark.parametrize("shape", [(6, 8), (6, 8, 1), (6, 8, 2), (6, 8, 3), (6, 8, 4)])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float16, np.float32, np.float64])
def test_an_array_gives_an_array_of_its_kind(enlarge, shape, dtype):
    top = 1 if np.issubdtype(dtype, np.floating) else np.iinfo(dtype).max
    larger = enlarge(np.full(shape, top * 0.5).astype(dtype))
    assert larger.shape == (12, 16, *shape[2:])
    assert larger.dtype == dtype
    assert larger.max() <= top
    assert larger[4:-4, 4:-4].mean(dtype=float) == pytest.approx(top / 2, rel=0.5)


@pytest.mark.parametrize("mode", ["L", "LA", "RGB", "RGBA", "I;16"])
def test_a_pil_picture_gives_one_of_its_mode(enlarge, mode):
    picture = Image.new(mode, (8, 6))
    picture.info["dpi"] = (300, 300)
    larger = enlarge(picture)
    assert (larger.mode, larger.size, larger.info["dpi"]) == (mode, (16, 12), (300, 300))


def test_palettes_become_rgb_and_keep_transparency(enlarge, photo):
    palette = Image.fromarray(photo[:20, :20]).quantize(8)
    assert enlarge(palette).mode == "RGB"
    palette.info["transparency"] = 0
    assert enlarge(palette).mode == "RGBA"


def test_pil_pictures_are_turned_upright(enlarge, photo):
    turned = Image.fromarray(photo[:20, :30])
    turned.getexif()[0x0112] = 6
    assert enlarge(turned).size == (40, 60)


def test_cmyk_stays_cmyk_with_its_profile(enlarge):
    inks = (200, 20, 90, 60)
    cmyk = Image.new("CMYK", (30, 20), inks)
    cmyk.info["icc_profile"] = b"for four inks"
    larger = enlarge(cmyk)
    assert (larger.mode, larger.size) == ("CMYK", (60, 40))
    assert larger.info["icc_profile"] == b"for four inks"
    assert larger.getpixel((30, 20)) == inks


@pytest.mark.parametrize(
    ("mode", "result"),
    [("1", "L"), ("YCbCr", "RGB"), ("LAB", "RGB"), ("HSV", "RGB"), ("RGBa", "RGBA"), ("La", "LA")],
)
def test_other_modes_become_what_the_docstring_says(enlarge, mode, result):
    picture = Image.new(mode, (8, 6))
    picture.info["icc_profile"] = b"p"
    larger = enlarge(picture)
    assert larger.mode == result
    assert ("icc_profile" in larger.info) == (mode != "LAB")


@pytest.mark.parametrize(("scale", "size"), [(2.7, (41, 54)), (4, (60, 80)), (0.5, (8, 10))])
def test_arrays_and_pil_pictures_take_any_scale_as_files_do(
    photo, small_weights, tmp_path, scale, size
):
    given = np.ascontiguousarray(photo[:15, :20])
    larger = clearzoom.enlarge(given, scale, str(small_weights))
    assert larger.shape == (*size, 3)
    Image.fromarray(given).save(tmp_path / "p.png")
    path = clearzoom.enlarge(tmp_path / "p.png", scale, str(small_weights))
    assert path.name == f"p-x{scale:g}.png"
    np.testing.assert_array_equal(larger, read_picture(path).samples)
    assert clearzoom.enlarge(Image.fromarray(given), scale, str(small_weights)).size == size[::-1]
    assert clearzoom.enlarge(given[..., 0], scale, str(small_weights)).shape == size


@pytest.mark.parametrize("dtype", ["u2", "f4"])
def test_the_order_of_bytes_does_not_matter(enlarge, random, dtype):
    array = (random.random((9, 7, 3)) * (1 if dtype == "f4" else 65_535)).astype(f"<{dtype}")
    larger = enlarge(array.astype(f">{dtype}"))
    assert larger.dtype == f">{dtype}"
    np.testing.assert_array_equal(larger, enlarge(array))


def test_a_format_that_is_not_written_becomes_png(enlarge, photo, tmp_path):
    import pillow_heif

    made = pillow_heif.from_pillow(Image.fromarray(np.ascontiguousarray(photo[:64, :64])))
    made.save(tmp_path / "p.heic")
    assert enlarge(tmp_path / "p.heic") == tmp_path / "p-x2.png"
    Image.fromarray(photo[:9, :9]).save(tmp_path / "Scan 12. May", "PNG")
    assert enlarge(tmp_path / "Scan 12. May") == tmp_path / "Scan 12. May-x2.png"


def test_an_onnx_file_that_is_not_there_is_said(tmp_path):
    for picture in (np.zeros((4, 4), np.uint8), tmp_path / "p.png"):
        Image.new("L", (4, 4)).save(tmp_path / "p.png")
        with pytest.raises(MissingFileError, match=r"no file x\.onnx"):
            clearzoom.enlarge(picture, 4, "x.onnx")


def test_a_link_is_replaced_itself(photo, small_weights, tmp_path):
    Image.fromarray(photo[:9, :9]).save(tmp_path / "p.png")
    (tmp_path / "old.png").write_bytes(b"old")
    (tmp_path / "link.png").symlink_to("old.png")
    settings = clearzoom.Settings(clearzoom.Wanted(2), str(small_weights))
    clearzoom.enlarge_file(str(tmp_path / "p.png"), str(tmp_path / "link.png"), settings)
    assert not (tmp_path / "link.png").is_symlink()
    assert (tmp_path / "old.png").read_bytes() == b"old"


@pytest.mark.parametrize("kind", [str, Path])
def test_a_path_gives_a_path_beside_it(enlarge, photo, tmp_path, kind):
    Image.fromarray(photo[:20, :30]).save(tmp_path / "cat.png")
    larger = enlarge(kind(tmp_path / "cat.png"))
    assert isinstance(larger, kind)
    assert Path(larger) == tmp_path / "cat-x2.png"
    assert read_picture(Path(larger)).samples.shape == (40, 60, 3)
    with pytest.raises(OutputError, match="exists"):
        enlarge(kind(tmp_path / "cat.png"))


def test_a_strength_is_that_of_the_files(photo, tmp_path):
    small = np.ascontiguousarray(photo[100:124, 150:180])
    Image.fromarray(small).save(tmp_path / "small.png")
    settings = clearzoom.Settings(clearzoom.Wanted(4), "photo-crisp", strength=0.5)
    clearzoom.enlarge_file(tmp_path / "small.png", tmp_path / "large.png", settings)
    half = clearzoom.enlarge(small, 4, "photo-crisp", strength=0.5)
    assert np.array_equal(half, read_picture(tmp_path / "large.png").samples)
    assert not np.array_equal(half, clearzoom.enlarge(small, 4, "photo-crisp"))


def test_what_is_no_picture_is_refused(enlarge, tmp_path):
    for bad in (
        np.zeros((2, 2, 5), np.uint8),
        np.zeros(4, np.uint8),
        np.zeros((2, 2, 3), np.int64),
        np.full((2, 2), np.nan),
        np.full((2, 2), 1.5),
        Image.new("F", (2, 2)),
        17,
    ):
        with pytest.raises(InputError):
            enlarge(bad)
    with pytest.raises(MissingFileError):
        enlarge(tmp_path / "none.png")
