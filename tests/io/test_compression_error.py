import io

import numpy as np
import pytest
import pyvips
from PIL import Image

from clearzoom.io.compression_error import compression_error_levels, levels_of_tables


def written(tmp_path, photo, suffix, **options):
    path = tmp_path / f"picture{suffix}"
    pyvips.Image.new_from_array(photo).write_to_file(str(path), **options)
    return path


@pytest.mark.parametrize("quality", [40, 60, 80, 92, 97])
def test_the_error_of_a_jpeg_is_about_what_its_tables_say(tmp_path, photo, quality):
    busy = photo[::3, ::3]  # as busy as pictures that were reduced
    path = written(tmp_path, busy, ".jpg", Q=quality)
    lossy = np.asarray(Image.open(path)).astype(float)
    real = np.sqrt(((lossy - busy) ** 2).mean())
    assert compression_error_levels(path, "JPEG") == pytest.approx(real, rel=0.5)


def test_coarser_tables_mean_more(photo):
    found = []
    for quality in range(5, 100, 5):
        file = io.BytesIO()
        Image.fromarray(photo).save(file, "jpeg", quality=quality)
        found.append(levels_of_tables(Image.open(file).quantization))
    assert found == sorted(found, reverse=True)
    assert levels_of_tables({}) == 0


@pytest.mark.parametrize(
    ("suffix", "kind", "options", "lossy"),
    [
        (".png", "PNG", {}, False),
        (".webp", "WebP", {"lossless": True}, False),
        (".webp", "WebP", {"Q": 80}, True),
        (".avif", "AVIF", {}, True),
        (".tif", "TIFF", {"compression": "deflate"}, False),
        (".tif", "TIFF", {"compression": "jpeg"}, True),
    ],
)
def test_which_files_are_lossy(tmp_path, photo, suffix, kind, options, lossy):
    path = written(tmp_path, photo[:64, :64], suffix, **options)
    assert (compression_error_levels(path, kind) > 1) == lossy


@pytest.mark.parametrize("lossless", [True, False])
def test_webp_with_frames_or_metadata(tmp_path, photo, lossless):
    frames = [Image.fromarray(photo[:40, :40]), Image.fromarray(photo[40:80, :40])]
    path = tmp_path / "moving.webp"
    frames[0].save(path, save_all=True, append_images=frames[1:], lossless=lossless, exif=b"Exif")
    assert (compression_error_levels(path, "WebP") > 1) != lossless


def test_what_cannot_be_read_says_nothing(tmp_path):
    for kind in ("JPEG", "WebP", "TIFF"):
        (tmp_path / "cut").write_bytes(b"RIFF\0\0\0\0WEBPVP8")
        assert compression_error_levels(tmp_path / "cut", kind) == 0
        assert compression_error_levels(tmp_path / "not there", kind) == 0


def test_a_jpeg_of_any_size_states_its_error(tmp_path):
    """Pillow opens none of more than 179 MP; its header is read all the same."""
    large = tmp_path / "large.jpg"
    pyvips.Image.black(16_384, 12_288).jpegsave(str(large), Q=70)
    small = tmp_path / "small.jpg"
    pyvips.Image.black(64, 64).jpegsave(str(small), Q=70)
    levels = compression_error_levels(small, "JPEG")
    assert compression_error_levels(large, "JPEG") == levels > 4
