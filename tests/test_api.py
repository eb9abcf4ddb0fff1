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


def test_pil_pictures_are_turned_upright_and_cmyk_loses_its_profile(enlarge, photo):
    turned = Image.fromarray(photo[:20, :30])
    turned.getexif()[0x0112] = 6
    assert enlarge(turned).size == (40, 60)
    cmyk = Image.fromarray(photo[:20, :30]).convert("CMYK")
    cmyk.info["icc_profile"] = b"for four inks"
    assert "icc_profile" not in enlarge(cmyk).info


@pytest.mark.parametrize("kind", [str, Path])
def test_a_path_gives_a_path_beside_it(enlarge, photo, tmp_path, kind):
    Image.fromarray(photo[:20, :30]).save(tmp_path / "cat.png")
    larger = enlarge(kind(tmp_path / "cat.png"))
    assert isinstance(larger, kind)
    assert Path(larger) == tmp_path / "cat-x2.png"
    assert read_picture(Path(larger)).samples.shape == (40, 60, 3)
    with pytest.raises(OutputError, match="exists"):
        enlarge(kind(tmp_path / "cat.png"))


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
