"""Pages of a TIFF: each is a picture of its own, named like scan.tif~p2."""

import io
import shutil
from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image

EXAMPLE = Path(__file__).parents[3] / "examples" / "chelsea.png"
BOXES = ((0, 0, 90, 60), (100, 50, 180, 170), (300, 200, 348, 248))


@pytest.fixture(scope="module")
def pages(photo):
    return [photo[top:bottom, left:right] for left, top, right, bottom in BOXES]


@pytest.fixture(scope="module")
def folder(tmp_path_factory, pages, photo):
    """Scans of several pages in strips and in tiles, one with a page that is turned, a pyramid."""
    root = tmp_path_factory.mktemp("scans")
    forms = {"strips.tif": {}, "tiles.tif": {"tile": (32, 32)}}
    for name, form in forms.items():
        with tifffile.TiffWriter(root / name) as writer:
            for page in pages:
                writer.write(page, photometric="rgb", metadata=None, **form)
    with tifffile.TiffWriter(root / "mixed.tif") as writer:
        options = {"photometric": "rgb", "metadata": None}
        turned = {"extratags": [(274, 3, 1, 6, True)]}
        writer.write(pages[0][::4, ::4], subfiletype=1, **options)  # its thumbnail is no page
        writer.write(pages[0], **options)
        writer.write(pages[1], **options, **turned)
    with tifffile.TiffWriter(root / "pyramid.tif") as writer:
        writer.write(photo[:256, :256], photometric="rgb", metadata=None, tile=(64, 64))
        writer.write(photo[:256:2, :256:2], photometric="rgb", metadata=None, tile=(64, 64))
    shutil.copy(EXAMPLE, root / "strips.tif~p3")  # a file with such a name comes first
    return root


@pytest.fixture
def ask(in_process, folder):
    return in_process(folder=folder)


def shown(answer):
    assert answer.status_code == 200, answer.text
    return np.asarray(Image.open(io.BytesIO(answer.content)).convert("RGB"))


@pytest.mark.parametrize("name", ["strips.tif", "tiles.tif"])
def test_each_page_is_a_picture_of_its_own(ask, name, pages):
    for number in (1, 2):
        page = pages[number - 1]
        identifier = f"{name}~p{number}"
        info = ask("GET", f"/iiif/3/{identifier}/info.json").json()
        assert (info["height"], info["width"]) == page.shape[:2]
        assert info["id"].endswith(f"/iiif/3/{name}~p{number}")
        whole = ask("GET", f"/iiif/3/{identifier}/full/max/0/default.png")
        np.testing.assert_array_equal(shown(whole), page)
        tile = ask("GET", f"/iiif/3/{identifier}/10,20,16,16/max/0/default.png")
        np.testing.assert_array_equal(shown(tile), page[20:36, 10:26])
        small = ask("GET", f"/iiif/3/{identifier}/full/!20,20/0/default.png")
        assert max(shown(small).shape) == 20
        assert tile.headers["etag"] != whole.headers["etag"]
    np.testing.assert_array_equal(
        shown(ask("GET", f"/iiif/3/{name}/full/max/0/default.png")), pages[0]
    )


def test_pages_have_virtual_pictures_and_deep_zoom(ask, pages):
    height, width = pages[1].shape[:2]
    info = ask("GET", "/iiif/3/tiles.tif~p2~x4/info.json").json()
    assert (info["width"], info["height"]) == (4 * width, 4 * height)
    assert info["clearzoom"]["source"].endswith("/iiif/3/tiles.tif~p2")
    answer = ask("GET", "/iiif/3/tiles.tif~p2~x4/0,0,64,64/max/0/default.png")
    assert answer.headers["x-clearzoom-pixels"] == "inferred"
    virtual = ask("GET", "/iiif/3/tiles.tif~p2/info.json").json()["clearzoom"]["virtual"]
    assert [each.rpartition("/")[2] for each in virtual] == [
        f"tiles.tif~p2~x{scale}" for scale in (2, 4, 8, 16)
    ]
    assert f'Width="{width}" Height="{height}"' in ask("GET", "/dzi/tiles.tif~p2.dzi").text
    last = (max(width, height) - 1).bit_length()
    tile = ask("GET", f"/dzi/tiles.tif~p2_files/{last}/0_0.png")
    np.testing.assert_array_equal(shown(tile), pages[1])


def test_a_page_is_turned_by_what_it_says_itself(ask, pages):
    np.testing.assert_array_equal(
        shown(ask("GET", "/iiif/3/mixed.tif~p1/full/max/0/default.png")), pages[0]
    )
    np.testing.assert_array_equal(
        shown(ask("GET", "/iiif/3/mixed.tif~p2/full/max/0/default.png")), np.rot90(pages[1], -1)
    )


@pytest.mark.parametrize(
    "identifier",
    ["strips.tif~p0", "strips.tif~p4", "strips.tif~p02", "pyramid.tif~p1", "strips.tif~p1~p1"],
)
def test_there_is_no_other_page(ask, identifier):
    for route in ("/iiif/3/{}/info.json", "/dzi/{}.dzi", "/iiif/presentation/3/{}/manifest"):
        assert ask("GET", route.format(identifier)).status_code == 404


def test_a_file_whose_name_looks_like_a_page_comes_first(ask):
    info = ask("GET", "/iiif/3/strips.tif~p3/info.json").json()
    assert (info["width"], info["height"]) == (451, 300)
    assert ask("GET", "/iiif/3/tiles.tif~p3/info.json").json()["width"] == 48


def test_the_manifest_of_a_file_has_a_canvas_for_each_page(ask, pages):
    content = ask("GET", "/iiif/presentation/3/tiles.tif/manifest").json()
    assert content["label"] == {"none": ["tiles.tif"]}
    assert [(each["height"], each["width"]) for each in content["items"]] == [
        page.shape[:2] for page in pages
    ]
    assert [each["label"]["en"] for each in content["items"]] == [
        ["tiles.tif, page 1"],
        ["tiles.tif, page 2"],
        ["tiles.tif, page 3"],
    ]
    for number, canvas in enumerate(content["items"], 1):
        body = canvas["items"][0]["items"][0]["body"]
        assert body["service"][0]["id"].endswith(f"/iiif/3/tiles.tif~p{number}")
    one = ask("GET", "/iiif/presentation/3/tiles.tif~p2/manifest").json()
    assert one["items"][0]["id"] == content["items"][1]["id"]
    assert len(one["items"]) == 1
    enlarged = ask("GET", "/iiif/presentation/3/tiles.tif~x4/manifest").json()
    assert [(each["height"], each["width"]) for each in enlarged["items"]] == [
        (4 * page.shape[0], 4 * page.shape[1]) for page in pages
    ]
    ids = [each["items"][0]["items"][0]["body"]["service"][0]["id"] for each in enlarged["items"]]
    assert ids[1].endswith("/iiif/3/tiles.tif~p2~x4")


def test_a_file_is_listed_once_with_the_number_of_its_pages(ask):
    said = ask("GET", "/api/pictures").json()
    assert {each["id"]: each["pages"] for each in said["pictures"]} == {
        "strips.tif": 3,
        "tiles.tif": 3,
        "mixed.tif": 2,
        "pyramid.tif": 1,
        "strips.tif~p3": 1,
    }
    assert not said["unreadable"]
    one = ask("GET", "/api/pictures/tiles.tif~p2").json()
    assert (one["id"], one["width"], one["folder"]) == ("tiles.tif~p2", 80, "")
