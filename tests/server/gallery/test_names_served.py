"""Which files are served: pictures alone, whatever they are called, and as they are now."""

import io
import os
import shutil
import sys

import numpy as np
import pytest
from PIL import Image

MISSING = "there is no such picture; see /api/pictures"


def level_of(answer):
    assert answer.status_code == 200, answer.text
    with Image.open(io.BytesIO(answer.content)) as shown:
        return shown.convert("L").getextrema()


def test_of_a_file_that_is_no_picture_nobody_learns(in_process, tmp_path):
    Image.new("L", (8, 8)).save(tmp_path / "a.png")
    shutil.copy(tmp_path / "a.png", tmp_path / "notes.bak")
    shutil.copy(tmp_path / "a.png", tmp_path / "scan")
    for name in ("letter.txt", "clearzoom.toml", "diary"):
        (tmp_path / name).write_text("")
    ask = in_process(folder=tmp_path)
    names = ("notes.bak", "letter.txt", "clearzoom.toml", "diary", "not-there.png", "not-there")
    for name in names:
        for path in (f"/iiif/3/{name}/info.json", f"/iiif/3/{name}~x4/full/max/0/default.jpg"):
            answer = ask("GET", path)
            assert (answer.status_code, answer.json()["message"]) == (404, MISSING)
        answer = ask("POST", "/api/enlarge", params={"picture": name})
        assert answer.status_code == 404
    assert level_of(ask("GET", "/iiif/3/scan/full/max/0/default.png")) == (0, 0)
    listed = [each["id"] for each in ask("GET", "/api/pictures").json()["pictures"]]
    assert listed == ["a.png", "scan"]


@pytest.mark.skipif(os.sep == "\\", reason="there it separates folders")
def test_a_backslash_in_a_name(in_process, tmp_path):
    Image.new("L", (8, 8), 7).save(tmp_path / "a\\b.png")
    ask = in_process(folder=tmp_path)
    (picture,) = ask("GET", "/api/pictures").json()["pictures"]
    assert picture["id"] == "a\\b.png"
    assert level_of(ask("GET", f"{picture['iiif']}/full/max/0/default.png")) == (7, 7)


@pytest.mark.parametrize("name", ["scan~x3", "scan~x3.png", "scan~x4", "scan~x4,fast,7", "a~f4"])
def test_a_name_like_that_of_a_virtual_picture(in_process, tmp_path, name):
    Image.new("L", (8, 8), 7).save(tmp_path / name, "PNG")
    ask = in_process(folder=tmp_path)
    assert level_of(ask("GET", f"/iiif/3/{name}/full/max/0/default.png")) == (7, 7)
    virtual = ask("GET", f"/iiif/3/{name}~x2,bicubic/info.json").json()
    assert virtual["width"] == 16
    assert virtual["id"].endswith(f"/{name}~x2,bicubic")


def test_another_file_of_equal_size_and_time(in_process, tmp_path):
    def write(path, level):
        Image.fromarray(np.full((64, 64), level, np.uint8)).save(path, "BMP")
        os.utime(path, (10**9, 10**9))

    ask, path = in_process(folder=tmp_path), tmp_path / "a.bmp"
    write(path, 10)
    size = path.stat().st_size
    for level in (10, 20):
        write(tmp_path / "other", level)
        (tmp_path / "other").replace(path)
        assert path.stat().st_size == size
        assert level_of(ask("GET", "/iiif/3/a.bmp/full/max/0/default.png")) == (level, level)
    write(path, 30)  # in place
    assert level_of(ask("GET", "/iiif/3/a.bmp/full/max/0/default.png")) == (30, 30)
    for label in ("old", "new"):
        (tmp_path / "clearzoom.toml").write_text(f'[pictures."a.bmp"]\nlabel = "{label}"')
        os.utime(tmp_path / "clearzoom.toml", (10**9, 10**9))
        assert ask("GET", "/api/pictures/a.bmp").json()["label"] == label


def test_a_watermark_replaced_by_one_of_equal_size_and_time(in_process, tmp_path):
    Image.new("RGB", (64, 64)).save(tmp_path / "a.png")
    (tmp_path / "clearzoom.toml").write_text(
        '[watermark]\nimage = ".mark.png"\non = "all"\nopacity = 1\nposition = "center"\nwidth = 1'
    )
    ask = in_process(folder=tmp_path)
    for level in (60, 200):
        Image.new("L", (64, 64), level).save(tmp_path / ".mark.png", compress_level=0)
        os.utime(tmp_path / ".mark.png", (10**9, 10**9))
        answer = ask("GET", "/iiif/3/a.png/full/max/0/default.png")
        assert level_of(answer) == (level, level)


def test_a_tile_with_a_number_of_5000_digits(client, server):
    for place in ("9" * 5000 + "_0.jpg", "0_" + "9" * 5000 + ".jpg", "0_0." + "j" * 5000):
        for level in ("0", "9" * 3000):
            answer = client.get(f"/dzi/chelsea.png_files/{level}/{place}")
            assert answer.status_code in (404, 422), answer.text
    for size in ("9" * 5000 + ",", "pct:" + "9" * 5000, "^!1," + "9" * 5000):
        answer = client.get(f"/iiif/3/chelsea.png/full/{size}/0/default.jpg")
        assert answer.status_code == 400, answer.text
    assert "Traceback" not in server.log()


def test_a_form_without_its_extra_has_one_status_everywhere(in_process, tmp_path, monkeypatch):
    header = b"\0\0\0\x18ftypheic\0\0\0\0mif1heic"
    (tmp_path / "a.heic").write_bytes(header + bytes(100))
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    ask = in_process(folder=tmp_path)
    for path in ("/iiif/3/a.heic/info.json", "/iiif/2/a.heic/full/full/0/default.jpg"):
        assert ask("GET", path).status_code == 415
    answer = ask("POST", "/api/enlarge", params={"picture": "a.heic"})
    assert answer.status_code == 415
    assert "clearzoom[heic]" in answer.json()["message"]
