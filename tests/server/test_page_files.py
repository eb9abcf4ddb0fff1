"""Files with pages, and pictures of which the server makes no file: the page says so at once."""

import shutil

import numpy as np
import pytest
from helpers.page import settled, shot
from PIL import Image, ImageOps

pytestmark = pytest.mark.browser

REFUSED = {"marked.png": ("watermark", 501), "book.tif": ("several pages", 415)}


@pytest.fixture(scope="module")
def server(serve, served_folder, tmp_path_factory):
    folder = tmp_path_factory.mktemp("marked")
    for name in ("marked.png", "free.png"):
        shutil.copy(served_folder / "chelsea.png", folder / name)
    stated = '[pictures."marked.png".watermark]\ntext = "ours"\n'
    (folder / "clearzoom.toml").write_text(stated)
    with Image.open(served_folder / "chelsea.png") as picture:
        flipped = ImageOps.invert(picture.convert("RGB"))
        picture.save(
            folder / "book.tif", save_all=True, append_images=[picture.rotate(180), flipped]
        )
    server = serve(folder, "--model", "fast")
    yield server
    server.end()


@pytest.mark.parametrize("name", REFUSED)
def test_only_the_view_is_offered(open_page, server, name):
    page = open_page(f"?lang=en#picture={name}")
    settled(page)
    page.keyboard.press("d")
    assert page.is_checked("input[value=view]")
    assert page.is_enabled("#download-start")
    page.check("input[value=times]", force=True)
    why, status = REFUSED[name]
    assert why in page.inner_text("#outcome-caution")
    assert not page.is_enabled("#download-start")
    page.check("input[value=view]", force=True)
    with page.expect_download() as got:
        page.click("#download-start")
    with Image.open(got.value.path()) as saved:
        assert min(saved.size) > 100
    with server.client() as client:
        asked = client.post("/api/enlarge", params={"picture": name, "scale": 2})
    assert asked.status_code == status


def test_another_s_file_is_offered(open_page, server):
    page = open_page("?lang=en#picture=free.png")
    settled(page)
    page.keyboard.press("d")
    assert page.is_checked("input[value=times]")
    assert page.is_enabled("#download-start")
    with server.client() as client:
        listed = client.get("/api/pictures").json()["pictures"]
    assert {each["id"]: each["files"] for each in listed} == {
        "book.tif": False,
        "free.png": True,
        "marked.png": False,
    }


def test_pages_can_be_turned(open_page):
    page = open_page("?lang=en")
    card = page.locator("[data-picture='book.tif']")
    assert "3 pages" in card.inner_text()
    card.click()
    settled(page)
    assert page.inner_text("#page-number") == "1 of 3"
    first = shot(page)
    for number in (2, 3):
        page.click("#page-after")
        page.wait_for_selector(f"#page-number >> text=/^{number} of/")
    settled(page)
    assert page.url.endswith("%7Ep3") or "%7Ep3&" in page.url
    assert page.get_attribute("#page-after", "href") is None
    third = shot(page)
    assert np.abs(third.astype(int) - first).mean() > 5
    page.click("#page-before")
    page.wait_for_selector("#page-number >> text=/^2 of/")
    page.reload()
    settled(page)
    assert page.inner_text("#page-number") == "2 of 3"
    page.keyboard.press("d")
    with page.expect_download() as got:
        page.click("#download-start")
    assert got.value.suggested_filename.startswith("book-page-2-part-")
    open_page("?lang=en#picture=free.png")
    settled(page)
    assert page.is_hidden("#pages")
