"""JPEG 2000 files as archives keep them: served with the pixels that they hold."""

import io

import numpy as np
import pytest
from PIL import Image


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("plain.jp2", {}),
        ("stream.j2k", {"no_jp2": True}),
        ("tiled.jpx", {"tile_size": (128, 128), "num_resolutions": 4}),
        ("no-suffix", {}),
    ],
)
def test_pixels_of_a_part(in_process, tmp_path, photo, name, options):
    folder = tmp_path / "scans"
    folder.mkdir()
    picture = np.ascontiguousarray(photo[:300, :400])
    Image.fromarray(picture).save(folder / name, "JPEG2000", **options)
    ask = in_process(folder=folder, model="fast")
    listed = ask("GET", "/api/pictures").json()["pictures"]
    assert [(each["id"], each["kind"]) for each in listed] == [(name, "JPEG 2000")]
    for version in (2, 3):
        answer = ask("GET", f"/iiif/{version}/{name}/40,30,200,100/max/0/default.png")
        assert answer.headers["x-clearzoom-pixels"] == "original"
        got = np.asarray(Image.open(io.BytesIO(answer.content)))
        np.testing.assert_array_equal(got, picture[30:130, 40:240])
    assert ask("GET", f"/iiif/3/{name}~x2/0,0,64,64/max/0/default.jpg").status_code == 200


def test_sixteen_bit_grey(in_process, tmp_path):
    folder = tmp_path / "scans"
    folder.mkdir()
    levels = np.linspace(0, 65_535, 64 * 48).reshape(48, 64).astype(np.uint16)
    Image.fromarray(levels).save(folder / "deep.jp2")
    answer = in_process(folder=folder)("GET", "/iiif/3/deep.jp2/full/max/0/default.png")
    got = np.asarray(Image.open(io.BytesIO(answer.content)).convert("L")).astype(int)
    assert np.abs(got - (levels / 257)).max() <= 1


def test_jpeg_xl_is_named_and_refused(in_process, tmp_path):
    folder = tmp_path / "scans"
    folder.mkdir()
    (folder / "scan.png").write_bytes(b"\xff\x0a\xfa\x1f\x01\x90" + bytes(30))
    ask = in_process(folder=folder)
    (unreadable,) = ask("GET", "/api/pictures").json()["unreadable"]
    answer = ask("GET", "/iiif/3/scan.png/info.json")
    assert answer.status_code == 415
    for why in (unreadable["why"], answer.json()["message"]):
        assert "is JPEG XL" in why
