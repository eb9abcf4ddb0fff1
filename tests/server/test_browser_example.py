"""The page of examples/browser in a real Chromium, from a server that only gives files."""

import io
from pathlib import Path

import numpy as np
import pytest
from helpers.file_server import file_server
from PIL import Image

import clearzoom
from clearzoom.models.photo import PLAIN_LEVEL

pytestmark = pytest.mark.browser

ROOT = Path(__file__).parents[2]
PAGE = "examples/browser/"


def as_a_browser_does(picture):
    """It leaves the exported file's level as it is."""
    return clearzoom.enlarge(picture, 4, "photo", consistency="none", denoise=PLAIN_LEVEL)


@pytest.fixture(scope="module")
def files():
    with file_server(ROOT) as port:
        yield f"http://127.0.0.1:{port}"


@pytest.fixture
def page(browser, files):
    wrong, asked = [], []
    page = browser.new_page()
    page.on("console", lambda said: wrong.append(said.text))
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("request", lambda one: asked.append(one))
    page.goto(f"{files}/{PAGE}")
    yield page
    page.close()
    assert not wrong
    assert {one.method for one in asked} == {"GET"}
    assert all(one.url.startswith((files, "blob:", "data:")) for one in asked)


def encoded(levels):
    file = io.BytesIO()
    Image.fromarray(levels).save(file, "PNG")
    return file.getvalue()


def enlarged(page, content):
    page.set_input_files("#file", {"name": "a.png", "mimeType": "image/png", "buffer": content})
    page.wait_for_selector("#save")
    with page.expect_download() as got:
        page.click("#save")
    assert got.value.suggested_filename == "a-enlarged.png"
    with Image.open(got.value.path()) as picture:
        picture.load()
        return np.asarray(picture).astype(int), picture.info


def test_result_is_clearzoom_s(page, photo):
    lr = photo[:, :270]  # two tiles across, two down
    sr, info = enlarged(page, encoded(lr))
    ours = as_a_browser_does(lr)
    assert sr.shape == ours.shape
    assert np.abs(sr - ours).max() <= 1
    assert 'clearzoom:Model="photo x4"' in info["XML:com.adobe.xmp"]
    assert "computed here" in page.inner_text("#said")


def test_offline_it_goes_on_once_it_is_loaded(page, photo):
    enlarged(page, encoded(photo[:16, :16]))
    page.context.set_offline(True)
    sr, _ = enlarged(page, encoded(photo[40:80, 50:90]))
    ours = as_a_browser_does(photo[40:80, 50:90])
    assert np.abs(sr - ours).max() <= 1
    page.context.set_offline(False)


def test_what_is_no_picture_is_said(page):
    wrong = {"name": "a.png", "mimeType": "image/png", "buffer": b"text"}
    page.set_input_files("#file", wrong)
    page.wait_for_selector("#said >> text=cannot decode")


@pytest.mark.parametrize("shape", [(1, 1), (3, 40), (257, 2)])
def test_sizes_that_are_no_multiple_of_anything(page, photo, shape):
    lr = photo[30 : 30 + shape[0], 100 : 100 + shape[1]]
    sr, _ = enlarged(page, encoded(lr))
    ours = as_a_browser_does(lr)
    assert np.abs(sr - ours).max() <= 1


def test_flat_fields_are_exact_and_other_networks_can_be_chosen(page, photo):
    page.select_option("#network", "fast-x2")
    lr = np.full((60, 300, 3), 255, np.uint8)
    lr[10:50, 100:140] = photo[60:100, 150:190]
    sr, _ = enlarged(page, encoded(lr))
    assert sr.shape == (120, 600, 3)
    assert (sr[:, :180] == 255).all()
    assert (sr[:, 300:] == 255).all()
    ours = clearzoom.enlarge(lr, 2, "fast", back_projection=False)
    assert np.abs(sr - ours).max() <= 1


def test_transparency_and_what_it_hides(page, photo):
    """A cut-out with a hard edge, of whose hidden colour nothing may be seen."""
    rows, columns = np.mgrid[:90, :300]
    alpha = np.where(np.hypot(rows - 45, columns - 200) < 40, 255, 0).astype(np.uint8)
    lr = np.dstack([photo[40:130, 100:400], alpha])
    lr[alpha == 0, :3] = 0  # as every browser decodes it
    sr, _ = enlarged(page, encoded(lr))
    ours = as_a_browser_does(lr).astype(int)
    assert np.abs(sr[..., 3] - ours[..., 3]).max() <= 1
    seen = ours[..., 3] > 0
    assert np.abs(sr[seen] - ours[seen]).max() <= 1


def test_turned_photographs_stand_upright(page, photo):
    picture, file = Image.fromarray(photo[:40, :60]), io.BytesIO()
    exif = picture.getexif()
    exif[0x0112] = 6
    picture.save(file, "PNG", exif=exif)
    sr, _ = enlarged(page, file.getvalue())
    upright = np.ascontiguousarray(np.rot90(photo[:40, :60], -1))
    ours = as_a_browser_does(upright)
    assert sr.shape == (240, 160, 3)
    assert np.abs(sr - ours).max() <= 1


def test_work_can_be_cancelled_and_begun_again(page, photo):
    tall = np.tile(photo, (6, 1, 1))
    wanted = {"name": "a.png", "mimeType": "image/png", "buffer": encoded(tall)}
    page.set_input_files("#file", wanted)
    page.wait_for_selector("#said >> text=Tile")
    page.click("#cancel")
    page.wait_for_selector("#said >> text=cancelled")
    assert not page.locator("#working").is_visible()
    sr, _ = enlarged(page, encoded(photo[:16, :16]))
    assert sr.shape == (64, 64, 3)
