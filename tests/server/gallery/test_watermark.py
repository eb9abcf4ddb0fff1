"""An owner's watermark: on which pixels it is, where, and that tiles and levels agree about it."""

import io
import os
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from clearzoom.errors import ConfigError
from clearzoom.server.gallery.owner_file import check_marks

WIDTH, HEIGHT = 300, 200
GREY = 128


@pytest.fixture
def folder(tmp_path):
    """One flat grey picture, in which nothing but a watermark can be seen, and a red mark."""
    root = tmp_path / "marked"
    root.mkdir()
    Image.new("RGB", (WIDTH, HEIGHT), (GREY,) * 3).save(root / "cat.png")
    Image.new("RGB", (80, 40), (255, 0, 0)).save(root / ".mark.png")
    return root


@pytest.fixture
def ask(in_process, folder):
    return in_process(folder=folder, model="fast")


def say(folder, text):
    (folder / "clearzoom.toml").write_text(text)


def watermark(**keys):
    given = {"image": ".mark.png", "opacity": 1.0} | keys
    lines = [f"{name} = {value!r}" for name, value in given.items() if value is not None]
    return "\n".join(["[watermark]", *lines])


def pixels(answer, mode="RGB"):
    assert answer.status_code == 200, answer.text
    return np.asarray(Image.open(io.BytesIO(answer.content)).convert(mode)).astype(int)


def image(ask, identifier="cat.png", region="full", size="max", name="default.png", turn="0"):
    return ask("GET", f"/iiif/3/{identifier}/{region}/{size}/{turn}/{name}")


def is_marked(samples):
    return bool((np.abs(samples - GREY) > 2).any())


def red_box(samples):
    """Left, top, right and bottom of what is rather red than grey, as shares of the picture."""
    red = (samples[..., 0] > 190) & (samples[..., 1] < 64)
    rows, columns = np.flatnonzero(red.any(1)), np.flatnonzero(red.any(0))
    high, wide = red.shape
    return columns[0] / wide, rows[0] / high, (columns[-1] + 1) / wide, (rows[-1] + 1) / high


def test_by_default_on_inferred_pixels_alone(ask, folder):
    plain = image(ask)
    say(folder, watermark(opacity=None))
    original = image(ask)
    assert original.content == plain.content
    assert original.headers["etag"] == plain.headers["etag"]
    assert not is_marked(pixels(image(ask, size="100,")))
    for answer in (image(ask, size="^600,"), image(ask, "cat.png~x2")):
        assert answer.headers["x-clearzoom-pixels"] == "inferred"
        assert is_marked(pixels(answer))
    # Up to the original's size, the levels of a virtual picture are the original.
    assert not is_marked(pixels(image(ask, "cat.png~x2", size=f"{WIDTH},")))
    # Interpolated pixels hold no more than the original, and a map of what was added no picture.
    assert not is_marked(pixels(image(ask, "cat.png~x2,bicubic")))
    assert not pixels(image(ask, "cat.png~f2"), "RGBA")[..., 3].any()


def test_on_all_pixels(ask, folder):
    plain = image(ask)
    say(folder, watermark(on="all"))
    original = image(ask)
    assert original.headers["x-clearzoom-pixels"] == "original"
    assert original.headers["etag"] != plain.headers["etag"]
    answers = [original, image(ask, size="100,"), image(ask, "cat.png~x2,bicubic")]
    answers += [image(ask, size="50,", name="gray.jpg"), ask("GET", "/dzi/cat.png_files/9/0_0.png")]
    answers += [ask("GET", "/iiif/2/cat.png/full/full/0/default.avif")]
    assert all(is_marked(pixels(answer)) for answer in answers)


def test_a_picture_and_a_folder_can_be_without(ask, folder):
    (folder / "in").mkdir()
    (folder / "cat.png").rename(folder / "in" / "cat.png")
    inner = "in%2Fcat.png"
    say(folder, watermark(on="all"))
    assert is_marked(pixels(image(ask, inner)))
    say(folder / "in", "watermark = false")
    assert not is_marked(pixels(image(ask, inner)))
    say(folder, watermark(on="all") + '\n[pictures."in/cat.png"]\nwatermark = false')
    (folder / "in" / "clearzoom.toml").unlink()
    assert not is_marked(pixels(image(ask, inner)))
    (folder / ".mark.png").rename(folder / "in" / "other.png")
    say(folder / "in", watermark(on="all", image="other.png"))
    say(folder, watermark(on="all", image=None, text="outer"))
    assert is_marked(pixels(image(ask, inner)))


@pytest.mark.parametrize(
    ("position", "expected"),
    [
        ("top-left", (0.02, 0.03, 0.42, 0.33)),
        ("top-right", (0.58, 0.03, 0.98, 0.33)),
        ("bottom-left", (0.02, 0.67, 0.42, 0.97)),
        ("bottom-right", (0.58, 0.67, 0.98, 0.97)),
        ("center", (0.3, 0.35, 0.7, 0.65)),
    ],
)
def test_its_place_does_not_depend_on_the_size(ask, folder, position, expected):
    say(folder, watermark(on="all", position=position, width=0.4))
    for identifier, size in (("cat.png", "max"), ("cat.png", "100,"), ("cat.png~x4", "max")):
        samples = pixels(image(ask, identifier, size=size))
        assert red_box(samples) == pytest.approx(expected, abs=1.1 / samples.shape[0])


@pytest.mark.parametrize("position", ["repeat", "center"])
@pytest.mark.parametrize("size", ["max", "600,"])
def test_tiles_fit_together(ask, folder, position, size):
    say(folder, watermark(on="all", position=position, width=0.23, image=None, text="© 博物館 &c"))
    whole = pixels(image(ask, "cat.png~x4,bicubic", size=size))
    step = 4 * WIDTH // whole.shape[1]
    joined = np.zeros_like(whole)
    for top in range(0, whole.shape[0], 128):
        for left in range(0, whole.shape[1], 128):
            high, wide = joined[top : top + 128, left : left + 128].shape[:2]
            region = f"{left * step},{top * step},{wide * step},{high * step}"
            tile = image(ask, "cat.png~x4,bicubic", region, f"{wide},{high}")
            joined[top : top + 128, left : left + 128] = pixels(tile)
    assert is_marked(whole)
    np.testing.assert_array_equal(joined, whole)


def test_it_stays_where_it_is_when_one_zooms(ask, folder):
    say(folder, watermark(on="all", width=0.3, image=None, text="museum"))
    far = pixels(image(ask, "cat.png~x4,bicubic", size="300,"), "L")
    near = pixels(image(ask, "cat.png~x4,bicubic"), "L")
    reduced = near.reshape(HEIGHT, 4, WIDTH, 4).mean((1, 3))
    assert np.ptp(reduced) > 40
    assert np.abs(reduced - far).mean() < 2
    assert np.corrcoef(reduced.ravel(), far.ravel())[0, 1] > 0.95


def test_it_turns_with_the_picture(ask, folder):
    say(folder, watermark(on="all", position="top-left", width=0.4))
    upright = pixels(image(ask))
    np.testing.assert_array_equal(pixels(image(ask, turn="90")), np.rot90(upright, -1))
    np.testing.assert_array_equal(pixels(image(ask, turn="!0")), upright[:, ::-1])


def test_opacity_and_colour_are_as_stated(ask, folder):
    say(folder, watermark(on="all", position="center", width=0.4, opacity=0.25))
    middle = pixels(image(ask))[HEIGHT // 2, WIDTH // 2]
    assert middle == pytest.approx([0.75 * GREY + 0.25 * 255, 0.75 * GREY, 0.75 * GREY], abs=1)


def test_transparent_pictures_and_marks(ask, folder):
    Image.new("RGBA", (WIDTH, HEIGHT), (0, 200, 0, 0)).save(folder / "cat.png")
    mark = Image.new("RGBA", (80, 40), (255, 0, 0, 0))
    mark.paste((255, 0, 0, 255), (0, 0, 40, 40))
    mark.save(folder / ".mark.png")
    say(folder, watermark(on="all", position="center", width=0.4))
    samples = pixels(image(ask), "RGBA")
    # The left half of the mark is opaque and red; the rest is as transparent as the picture.
    assert list(samples[HEIGHT // 2, WIDTH // 2 - 30]) == [255, 0, 0, 255]
    assert samples[HEIGHT // 2, WIDTH // 2 + 30, 3] == 0
    assert samples[5, 5, 3] == 0


def test_a_mark_that_changes_is_seen_at_once(ask, folder):
    say(folder, watermark(on="all"))
    first = image(ask)
    Image.new("RGB", (80, 40), (0, 0, 255)).save(folder / ".mark.png")
    second = image(ask)
    assert first.headers["etag"] != second.headers["etag"]
    assert (pixels(second)[..., 2] > 200).any()
    assert image(ask).content == second.content


def test_text_is_white_with_a_dark_outline(ask, folder):
    say(folder, watermark(on="all", image=None, text="MMM", position="center", width=0.9))
    samples = pixels(image(ask))
    assert samples.max() == 255
    assert samples.min() < 30
    assert (samples == samples[..., :1]).all()


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("[watermark]\nopacity = 0.5", "give either text or image"),
        (watermark(text="both"), "give either text or image"),
        (watermark(image="../mark.png"), "name a file in the same folder"),
        (watermark(image="/etc/passwd"), "name a file in the same folder"),
        (watermark(opacity=0), "opacity"),
        (watermark(position="nowhere"), "position"),
        (watermark(colour="red"), "colour"),
        ("watermark = true", "watermark"),
        (watermark(image="missing.png"), "cannot read the watermark"),
        (watermark(image="clearzoom.toml"), "is no PNG"),
    ],
)
def test_mistakes_show_when_the_server_starts(folder, text, why):
    say(folder, text)
    with pytest.raises(ConfigError, match=why):
        check_marks(folder)


def test_no_pixels_without_the_mark_that_they_need(ask, folder):
    say(folder, watermark())
    (folder / ".mark.png").write_bytes(b"\x89PNG\r\n\x1a\n and no more")
    answer = image(ask, "cat.png~x2")
    assert answer.status_code == 500
    assert str(folder) not in answer.text
    assert image(ask).status_code == 200


@pytest.mark.parametrize(
    ("on", "asked", "status"),
    [
        ("inferred", "scale=2", 501),
        ("inferred", "width=100", 200),
        ("all", "width=100", 501),
    ],
)
def test_a_file_that_would_lack_the_mark_is_refused(ask, folder, on, asked, status):
    say(folder, watermark(on=on))
    answer = ask("POST", f"/api/enlarge?picture=cat.png&model=fast&{asked}")
    assert answer.status_code == status, answer.text
    if status == 501:
        assert "watermark" in answer.json()["message"]
    say(folder, "watermark = false")
    assert ask("POST", f"/api/enlarge?picture=cat.png&model=fast&{asked}").status_code == 200


def test_a_machine_without_fonts_says_so(tmp_path):
    """In a process of its own, since fontconfig reads its settings once."""
    (tmp_path / "fonts.conf").write_text(
        '<?xml version="1.0"?><fontconfig><cachedir>/nonexistent</cachedir></fontconfig>'
    )
    program = (
        "from clearzoom.errors import ConfigError\n"
        "from clearzoom.server.gallery.watermark import Watermark\n"
        "try:\n    Watermark(text='M').stamp()\n"
        "except ConfigError as error:\n    print(error)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        env=os.environ | {"FONTCONFIG_FILE": str(tmp_path / "fonts.conf")},
        capture_output=True,
        text=True,
        check=True,
    )
    assert "no font" in done.stdout
