"""A background behind pictures with transparency: known answers, in each kind of samples."""

import numpy as np
import pytest
from PIL import Image

import clearzoom
from clearzoom.io.background import over_background
from clearzoom.io.reading import read_picture
from clearzoom.io.writing import as_image


@pytest.mark.parametrize(
    ("dtype", "colours", "cmyk", "white", "black"),
    [
        (np.uint8, [200, 100, 0], False, [255, 255, 255], [0, 0, 0]),
        (np.uint8, [90], False, [255], [0]),
        (np.uint16, [60000, 300, 7], False, [65535] * 3, [0] * 3),
        (np.uint16, [4000], False, [65535], [0]),
        (np.uint8, [10, 20, 30, 40], True, [0, 0, 0, 0], [0, 0, 0, 255]),
    ],
)
@pytest.mark.parametrize("name", ["white", "black"])
def test_known_answers(dtype, colours, cmyk, white, black, name):
    highest = np.iinfo(dtype).max
    alpha = [0, highest // 5, highest]
    samples = np.array([[[*colours, each] for each in alpha]], dtype)
    flat, lines = over_background(as_image(samples, cmyk=cmyk), name)
    assert lines == (f"what was transparent is {name} now",)
    behind = np.array(white if name == "white" else black)
    share = np.array(alpha)[:, None] / highest
    true = share * np.array(colours) + (1 - share) * behind
    result = flat.numpy().reshape(3, -1)
    assert result.dtype == dtype
    assert np.abs(result - true).max() <= 1
    np.testing.assert_array_equal(result[[0, 2]], [behind, colours])


def test_what_has_no_alpha_stays():
    image = as_image(np.zeros((2, 2, 3), np.uint8))
    assert over_background(image, "white") == (image, ())
    with_alpha = as_image(np.zeros((2, 2, 4), np.uint8))
    assert over_background(with_alpha, "none") == (with_alpha, ())


@pytest.fixture
def cut_out(tmp_path, photo):
    """A photograph with a round hole of full transparency around it."""
    alpha = np.zeros((40, 60, 1), np.uint8)
    alpha[10:30, 15:45] = 255
    samples = np.concatenate([photo[:40, :60], alpha], axis=2)
    path = tmp_path / "cut-out.png"
    Image.fromarray(samples).save(path)
    return path


def test_a_cut_out_becomes_a_jpeg(here, cut_out, tmp_path):
    target = tmp_path / "shop.jpg"
    options = ("--scale", 2, "--model", "fast")
    refused = here("enlarge", cut_out, "-o", target, *options)
    assert (refused.returncode, refused.stderr.count("\n")) == (4, 1)
    assert "JPEG has no transparency; give --background white" in refused.stderr
    done = here("enlarge", cut_out, "-o", target, *options, "--background", "white")
    assert done.returncode == 0, done.stderr
    assert "what was transparent is white now" in done.stderr
    shown = read_picture(target).samples
    assert shown.shape == (80, 120, 3)
    assert shown[:16].min() > 250  # white up to what JPEG does
    kept = read_picture(clearzoom.enlarge(cut_out, 2, "fast", output=tmp_path / "a.png")).samples
    inside = slice(24, 56), slice(34, 86)
    assert np.abs(shown[inside].astype(int) - kept[inside][..., :3]).mean() < 4


def test_a_folder_and_bytes(here, cut_out, tmp_path):
    content = clearzoom.enlarge(cut_out.read_bytes(), 2, "fast", format="png", background="black")
    (tmp_path / "black.png").write_bytes(content)
    assert read_picture(tmp_path / "black.png").samples.shape[2] == 3
    options = ("--scale", 2, "--model", "fast", "--format", "jpg", "--background", "white")
    (tmp_path / "in").mkdir()
    cut_out.rename(tmp_path / "in" / "cut-out.png")
    done = here("enlarge", tmp_path / "in", "-o", tmp_path / "out", *options)
    assert done.returncode == 0, done.stderr
    assert read_picture(tmp_path / "out" / "cut-out.jpg").samples.shape == (80, 120, 3)


@pytest.mark.slow
def test_an_animation(tmp_path, photo):
    frames = []
    for left in (0, 10):
        alpha = np.zeros((24, 30, 1), np.uint8)
        alpha[:, left : left + 12] = 255
        frames.append(Image.fromarray(np.concatenate([photo[:24, :30], alpha], axis=2)))
    source = tmp_path / "moves.webp"
    frames[0].save(source, save_all=True, append_images=frames[1:], duration=80, lossless=True)
    target = tmp_path / "moves.png"
    wanted = clearzoom.Wanted(scale=2)
    settings = clearzoom.Settings(wanted, "fast", encoding=clearzoom.Encoding(background="white"))
    done = clearzoom.enlarge_file(source, target, settings)
    assert "what was transparent is white now" in done.notes
    with Image.open(target) as result:
        assert result.n_frames == 2
        for index in range(2):
            result.seek(index)
            assert result.convert("RGBA").getextrema()[3] == (255, 255)
        assert result.convert("RGB").getpixel((2, 2)) == (255, 255, 255)
