"""The page's dialog and what can be dropped, in a real Chromium against the real server."""

import io
from urllib.parse import parse_qs, urlsplit

import httpx
import numpy as np
import pytest
from helpers.page import TIMES, settled, shot, zoom_percent
from PIL import Image

pytestmark = pytest.mark.browser

EYE = "?lang=en#picture=chelsea.png&zoom=400&x=0.45&y=0.5"


@pytest.fixture(scope="module")
def server(serve, served_folder):
    server = serve(served_folder, "--model", "fast", "--consistency", "tones")
    yield server
    server.end()


def pixels(content):
    with Image.open(io.BytesIO(content)) as picture:
        return np.asarray(picture.convert("RGB")).astype(int)


def save_view(page, kind="png"):
    page.keyboard.press("d")
    page.check("input[value=view]", force=True)
    page.select_option("#format", kind)
    with page.expect_download() as got:
        page.click("#download-start")
    page.wait_for_selector("#download", state="hidden")
    return got.value.suggested_filename, pixels(got.value.path().read_bytes())


def test_what_is_seen_is_saved_in_its_size(open_page):
    page = open_page(EYE)
    settled(page)
    seen = shot(page)
    page.keyboard.press("d")
    page.check("input[value=view]", force=True)
    stated = page.inner_text("#outcome-size")
    values = [o.get_attribute("value") for o in page.locator("#format option:enabled").all()]
    assert values == ["png", "jpg", "webp"]
    page.keyboard.press("Escape")
    name, saved = save_view(page)
    assert name == "chelsea-part-400-percent.png"
    assert stated.replace(",", "") == f"{saved.shape[1]} {TIMES} {saved.shape[0]} px"
    # The size on the screen, to the px of the picture that its edges cut; the same pixels.
    assert np.abs(np.array(saved.shape) - seen.shape).max() <= 3
    high, wide = (min(a, b) - 40 for a, b in zip(saved.shape[:2], seen.shape[:2], strict=True))
    middles = [
        one[one.shape[0] // 2 - high // 2 :, one.shape[1] // 2 - wide // 2 :][:high, :wide]
        for one in (saved, seen)
    ]
    blocks = [
        one[: high // 16 * 16, : wide // 16 * 16].reshape(high // 16, 16, wide // 16, 16, 3)
        for one in middles
    ]
    means = [one.mean(axis=(1, 3)) for one in blocks]
    assert np.abs(means[0] - means[1]).mean() < 3


def test_a_reduced_whole_is_saved_as_it_is_seen(open_page):
    page = open_page("?lang=en#picture=tiled.tif&zoom=50&x=0.5&y=0.5")
    settled(page)
    with page.expect_response(
        lambda got: "default.jpg" in got.url and "tiled.tif/" in got.url
    ) as answer:
        name, saved = save_view(page, "jpg")
    assert name == "tiled-part-50-percent.jpg"
    assert answer.value.headers["x-clearzoom-pixels"] == "reduced"
    assert (saved.shape[1], saved.shape[0]) == (1353 // 2 + 1, 450)


def test_beyond_the_largest_virtual_picture_it_is_inferred_further(open_page):
    page = open_page("?lang=en#picture=grey.png&zoom=2400&x=0.5&y=0.5")
    settled(page)
    assert zoom_percent(page) == 2400
    name, saved = save_view(page)
    assert name == "grey-part-2400-percent.png"
    assert saved.shape[1] >= 1280


def asked_of(page, press):
    with page.expect_request(lambda one: "/api/enlarge" in one.url) as asked:
        press()
    return {name: one[0] for name, one in parse_qs(urlsplit(asked.value.url).query).items()}


def test_quality_consistency_and_cleaning_are_asked_for(open_page):
    page = open_page("?lang=en#picture=grey.png&zoom=200&x=0.5&y=0.5&model=photo&denoise=0.6")
    settled(page)
    page.keyboard.press("d")
    page.fill("#size-times", "2")
    assert not page.locator("#quality-line").is_visible()
    page.select_option("#format", "jpg")
    page.fill("#quality", "0")
    assert page.locator("#download-start").is_disabled()
    assert "1 to 100" in page.inner_text("#outcome-caution")
    page.fill("#quality", "35")
    page.click("#finer summary")
    assert page.input_value("#cleaning") == "0.6"  # as on the screen
    page.select_option("#cleaning", "1")
    page.select_option("#consistency", "tones")
    asked = asked_of(page, lambda: page.click("#download-start"))
    wanted = {"quality": "35", "denoise": "1", "consistency": "tones", "format": "jpg"}
    wanted |= {"picture": "grey.png", "job": "true", "model": "photo", "scale": "2"}
    assert asked == wanted | {"background": "white"}
    page.wait_for_selector("#job-save")
    with page.expect_download() as got:
        page.click("#job-save")
    made = got.value.path().read_bytes()
    assert pixels(made).shape == (180, 240, 3)
    page.click("#job-another")
    page.fill("#quality", "95")
    page.click("#download-start")
    page.wait_for_selector("#job-save")
    with page.expect_download() as got:
        page.click("#job-save")
    assert len(got.value.path().read_bytes()) > 1.5 * len(made)


def test_a_model_without_levels_is_not_asked_to_clean(open_page):
    page = open_page("?lang=en#picture=grey.png&zoom=200&x=0.5&y=0.5&model=fast")
    settled(page)
    page.keyboard.press("d")
    page.click("#finer summary")
    assert not page.locator("#cleaning-line").is_visible()
    assert (
        page.inner_text("#download-by") == "The network \u201cfast\u201d computes the new detail."
    )
    page.fill("#size-times", "1")
    assert page.inner_text("#download-by") == ""


def test_a_refused_view_is_said(open_page):
    page = open_page(EYE)
    settled(page)
    page.keyboard.press("d")
    page.check("input[value=view]", force=True)
    page.select_option("#format", "webp")
    page.evaluate("() => { window.fetch = () => Promise.reject(new TypeError('away')); }")
    page.click("#download-start")
    page.wait_for_selector("#download-error:visible >> text=does not answer")
    assert page.locator("#download-start").is_enabled()


def drop_paths(page, *paths):
    """As a file manager does: real files and folders."""
    devtools = page.context.new_cdp_session(page)
    data = {"items": [], "files": [str(path) for path in paths], "dragOperationsMask": 1}
    for kind in ("dragEnter", "dragOver", "drop"):
        devtools.send("Input.dispatchDragEvent", {"type": kind, "x": 300, "y": 300, "data": data})
    devtools.detach()


@pytest.fixture
def holiday(tmp_path, png):
    folder = tmp_path / "holiday"
    (folder / "day 2" / "evening").mkdir(parents=True)
    (folder / "a.png").write_bytes(png(80, 60))
    (folder / "day 2" / "b.JPG").write_bytes(png(70, 50, "JPEG"))
    (folder / "day 2" / "evening" / "c.tif").write_bytes(png(60, 40, "TIFF"))
    (folder / "day 2" / "list.txt").write_text("no picture")
    (folder / "route.gpx").write_text("no picture")
    (folder / ".DS_Store").write_text("of the system")
    return folder


def test_a_dropped_folder_is_added_and_what_is_no_picture_named(open_page, holiday, png, tmp_path):
    page = open_page("?lang=en")
    page.wait_for_selector("#peek-after.there")
    (tmp_path / "single.png").write_bytes(png(50, 50))
    drop_paths(page, holiday, tmp_path / "single.png")
    said = page.wait_for_selector(".toast >> text=Left out").inner_text()
    assert said == "Left out, as no pictures: list.txt, route.gpx"
    page.wait_for_selector(".toast >> text=4 pictures are here.")
    page.wait_for_function("() => document.querySelectorAll('.remove').length === 4")
    names = page.locator(".shelf").first.locator(".name").all_inner_texts()
    assert sorted(names) == ["a.png", "b.JPG", "c.tif", "single.png"]
    assert page.locator("#home").is_visible()
    for _ in range(4):
        count = page.locator(".remove").count()
        page.locator(".remove").first.click()
        page.wait_for_function(
            "count => document.querySelectorAll('.remove').length === count - 1", arg=count
        )


def test_a_folder_without_pictures_says_so(open_page, tmp_path):
    (tmp_path / "papers").mkdir()
    (tmp_path / "papers" / "a.txt").write_text("text")
    (tmp_path / "nothing").mkdir()
    page = open_page("?lang=en")
    page.wait_for_selector("#peek-after.there")
    drop_paths(page, tmp_path / "papers")
    page.wait_for_selector(".toast >> text=Left out, as no pictures: a.txt")
    drop_paths(page, tmp_path / "nothing")
    page.wait_for_selector(".toast >> text=There was no picture in that.")
    assert page.locator(".remove").count() == 0


def test_links_to_the_view_lead_back_to_it(open_page, browser):
    page = open_page(EYE)
    settled(page)
    page.click("#share-open")
    link, state, manifest = (
        page.input_value(f"#share-{one}") for one in ("page", "state", "manifest")
    )
    assert link == page.url
    canvas = httpx.get(manifest, trust_env=False).json()["items"][0]
    assert (canvas["width"], canvas["height"]) == (451, 300)
    page.goto("about:blank")
    again = open_page(state.split("/", 3)[3])
    settled(again)
    assert abs(zoom_percent(again) - 400) <= 4
    assert again.inner_text("#picture-name") == "chelsea.png"
    assert "iiif-content" not in again.url
