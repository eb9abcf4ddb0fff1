import numpy as np
import pyvips

from clearzoom.io.compression import decoded, encoded
from clearzoom.io.reading import decode_rgb8
from clearzoom.metrics.evaluate import evaluate
from clearzoom.metrics.faults import spoil
from clearzoom.metrics.methods import LrPicture, Method

rng = np.random.default_rng(0)
PICTURE = rng.integers(0, 256, (12, 20, 3)).astype(np.uint8)


def test_pixels_become_a_lossless_file():
    content, suffix = LrPicture(PICTURE).as_file()
    assert suffix == ".png"
    np.testing.assert_array_equal(decode_rgb8(content), PICTURE)


def test_a_file_is_handed_over_as_it_was():
    content = encoded(PICTURE, "jpg", 60)
    given = LrPicture(decoded(content), content, ".jpg")
    assert given.as_file() == (content, ".jpg")


def test_a_method_sees_compressed_pictures_as_jpeg_files(pictures):
    seen = []

    def enlarge(given):
        content, suffix = given.as_file()
        seen.append((suffix, pyvips.Image.new_from_buffer(content, "").get("vips-loader")))
        np.testing.assert_array_equal(decode_rgb8(content), given.pixels)
        return given.pixels.repeat(2, axis=0).repeat(2, axis=1)

    method = Method("nearest", None, enlarge)
    folder = pictures / "val"
    _, clean = evaluate(folder, 2, [method])
    _, lossy = evaluate(folder, 2, [method], jpeg_quality=60)
    count = len(clean.pictures)
    assert seen == [(".png", "pngload_buffer")] * count + [(".jpg", "jpegload_buffer")] * count
    assert clean.model == lossy.model == "nearest"
    assert lossy.psnr_db < clean.psnr_db


def test_a_method_sees_pictures_with_faults_as_the_recipe_makes_them(pictures):
    seen = []

    def enlarge(given):
        content, suffix = given.as_file()
        np.testing.assert_array_equal(decode_rgb8(content), given.pixels)
        seen.append((suffix, given.pixels))
        return given.pixels.repeat(2, axis=0).repeat(2, axis=1)

    evaluate(pictures / "val", 2, [Method("nearest", None, enlarge)], faults="heavy")
    for (suffix, pixels), path in zip(seen, sorted((pictures / "val").iterdir()), strict=True):
        hr = decode_rgb8(path.read_bytes())
        hr = hr[: hr.shape[0] // 2 * 2, : hr.shape[1] // 2 * 2]
        np.testing.assert_array_equal(pixels, spoil(hr, 2, "heavy", path.stem))
        assert suffix == ".jpg"
