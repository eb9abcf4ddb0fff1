"""The six forms of a size after ^, which let detail be inferred."""

import re
import shutil
from pathlib import Path

import pytest
import pyvips

EXAMPLE = Path(__file__).parent.parent.parent / "examples" / "chelsea.png"

# Of a region of 100x80 px.
FORMS = {
    "^150,": (150, 120),
    "^,160": (200, 160),
    "^pct:150": (150, 120),
    "^150,100": (150, 100),
    "^!300,160": (200, 160),
}
REGION = "120,60,100,80"


def ask(client, size, identifier="chelsea.png", region=REGION):
    return client.get(f"/iiif/3/{identifier}/{region}/{size}/0/default.jpg")


def shape(answer):
    image = pyvips.Image.new_from_buffer(answer.content, "")
    return image.width, image.height


@pytest.mark.parametrize("caret", ["^", "%5E", "%5e"])
@pytest.mark.parametrize("form", FORMS)
def test_what_is_larger_is_inferred(client, form, caret):
    answer = ask(client, form.replace("^", caret))
    assert answer.status_code == 200, answer.text
    assert shape(answer) == FORMS[form]
    assert answer.headers["x-clearzoom-pixels"] == "inferred"
    model = answer.headers["x-clearzoom-model"]
    assert re.match(r"photo at denoise 0\.\d+ \+ consistency 2 x2; sha256=", model)
    link = answer.headers["link"]
    assert f"/{REGION}/^{FORMS[form][0]},{FORMS[form][1]}/0/default.jpg>" in link


@pytest.mark.slow
def test_max_is_all_that_the_limits_allow(in_process):
    ask = in_process(max_width_px=400, max_area_px=60_000)
    for caret in ("^", "%5E"):
        answer = ask("GET", f"/iiif/3/chelsea.png/{REGION}/{caret}max/0/default.jpg")
        assert shape(answer) == (273, 219)  # 60,000 px in the region's proportions
        assert answer.headers["x-clearzoom-pixels"] == "inferred"
    answer = ask("GET", "/iiif/3/chelsea.png/120,60,100,20/^max/0/default.jpg")
    assert shape(answer) == (400, 80)
    answer = ask("GET", "/iiif/3/chelsea.png/full/max/0/default.jpg")
    assert shape(answer) == (300, 200)
    assert answer.headers["x-clearzoom-pixels"] == "reduced"


@pytest.mark.parametrize("size", ["^9000,", "^,9000", "^5000,5000", "^pct:9000"])
def test_more_than_the_limits_is_an_error(client, size):
    answer = ask(client, size)
    assert answer.status_code == 400
    assert "limits" in answer.json()["message"]


def test_a_fit_stays_within_the_limits(in_process):
    ask = in_process(max_width_px=400, max_area_px=60_000)
    answer = ask("GET", f"/iiif/3/chelsea.png/{REGION}/^!9000,9000/0/default.jpg")
    assert shape(answer) == (273, 219)


@pytest.mark.parametrize("size", ["^100,", "^,80", "^pct:100", "^100,80", "^!100,80"])
def test_a_caret_changes_nothing_where_nothing_is_enlarged(client, size):
    plain, caret = ask(client, size.removeprefix("^")), ask(client, size)
    assert plain.content == caret.content
    assert caret.headers["x-clearzoom-pixels"] == "original"
    assert shape(caret) == (100, 80)


@pytest.mark.parametrize("size", ["150,", ",160", "pct:150", "150,100", "101,80", "100,81"])
def test_without_a_caret_it_is_an_error(client, size):
    assert ask(client, size).status_code == 400


def test_where_it_is_switched_off(in_process, tmp_path):
    folder = tmp_path / "off"
    folder.mkdir()
    shutil.copy(EXAMPLE, folder / "chelsea.png")
    (folder / "clearzoom.toml").write_text("upscaling = false")
    ask = in_process(folder=folder)
    for form in ("^max", *FORMS):
        answer = ask("GET", f"/iiif/3/chelsea.png/{REGION}/{form}/0/default.jpg")
        assert answer.status_code == 501, form
        assert answer.json()["code"] == "switched-off"
    assert "sizeUpscaling" not in ask("GET", "/iiif/3/chelsea.png/info.json").text
    reduced = ask("GET", "/iiif/3/chelsea.png/full/^100,/0/default.jpg")
    assert (reduced.status_code, reduced.headers["x-clearzoom-pixels"]) == (200, "reduced")
