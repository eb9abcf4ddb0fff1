"""The page in a real Chromium, against the real server."""

import itertools
import re

import numpy as np
import pytest
from helpers.page import (
    DAMAGED,
    GONE,
    TIMES,
    fineness,
    settled,
    shot,
    zoom_percent,
)
from PIL import Image

pytestmark = pytest.mark.browser

PHONE = {"width": 360, "height": 740}
EYE = "#picture=chelsea.png&zoom=500&x=0.4&y=0.4"  # of which one network makes all
CONTRAST_AA = 4.5
TARGET_PX = 44


@pytest.fixture(scope="module")
def server(serve, served_folder):
    """A server that infers quickly: what the page shows is looked at, not how well it is made."""
    server = serve(served_folder, "--model", "fast", "--consistency", "tones")
    yield server
    server.end()


def test_gallery_says_what_it_is_and_lists_pictures(open_page):
    page = open_page()
    assert page.locator("h1:visible").inner_text() == "The more you zoom, the clearer."
    page.wait_for_selector(".card >> text=chelsea.png")
    page.wait_for_selector("#peek-after.there")
    assert page.locator(".card").count() == 6
    assert f"451 {TIMES} 300 px" in page.inner_text("#shelves")
    assert "貓 & co" in page.inner_text("#shelves")
    page.click("#unreadable summary")
    assert "no-picture.jpg" in page.inner_text("#unreadable")


def test_peek_slides_by_keyboard_and_leads_into_the_picture(open_page):
    page = open_page()
    page.wait_for_selector("#peek-after.there")
    page.focus("#peek-range")
    for _ in range(10):
        page.keyboard.press("ArrowLeft")
    assert page.evaluate("document.getElementById('peek-picture').style.cssText") == "--split: 40%;"
    page.click("#peek-open")
    page.wait_for_selector("#divider")
    page.wait_for_function("() => document.getElementById('zoom-figure').textContent !== ''")
    assert zoom_percent(page) == 200


def is_empty(page):
    """Whether nothing at all is drawn on the stage."""
    return not shot(page).any()


def go(page, picture):
    """As somebody does who changes the address."""
    page.evaluate("picture => { location.hash = `picture=${picture}`; }", picture)


def test_message_about_a_picture_never_lies_over_another(open_page):
    page = open_page(f"{EYE}&mode=compare&fidelity=1")
    for name, why in (
        (GONE, "not on the server any more"),
        (DAMAGED, "no picture that can be read"),
    ):
        page.wait_for_selector("#picture-name >> text=chelsea.png")
        settled(page)
        assert page.locator("#map").is_visible()
        assert not is_empty(page)
        go(page, name)
        page.wait_for_selector(f"#hint >> text={why}")
        page.wait_for_timeout(300)
        assert is_empty(page)
        for part in ("map", "divider", "legend", "readout", "rail", "tool-lens", "download-open"):
            assert not page.locator(f"#{part}").is_visible(), part
        assert "chelsea" not in page.title() + page.inner_text("#viewer")
        go(page, "grey.png")
        page.wait_for_selector("#picture-name >> text=grey.png")
        settled(page)
        assert not is_empty(page)
        assert why not in page.inner_text("#viewer")
        go(page, f"{EYE.removeprefix('#picture=')}&mode=compare&fidelity=1")
    go(page, GONE)
    page.wait_for_selector("#hint >> text=not on the server any more")
    page.keyboard.press("Escape")
    page.wait_for_selector(".card")


def is_inferred_tile(url):
    return "~x" in url and "bicubic" not in url and "default" in url


def test_nothing_is_drawn_while_the_server_computes(open_page):
    page = open_page()
    page.wait_for_selector(".card")
    held = []
    page.route(is_inferred_tile, lambda route: held.append(route))
    go(page, EYE.removeprefix("#picture="))
    page.wait_for_selector("#working:visible")
    drawn = page.evaluate(
        """async () => {
            const stage = OpenSeadragon.getViewer("canvas");
            const frames = async (count) => {
                while (count--) await new Promise((done) => requestAnimationFrame(done));
            };
            while (!stage.world.getItemAt(0).getFullyLoaded()) await frames(1);
            await frames(5);
            let drawn = 0;
            stage.addHandler("update-viewport", () => { drawn += 1; });
            await frames(20);
            return drawn;
        }"""
    )
    assert drawn == 0
    for route in held:
        route.continue_()
    page.unroute_all()
    settled(page)
    assert not is_empty(page)


def test_stage_is_empty_while_a_slow_picture_opens(open_page):
    page = open_page("#picture=chelsea.png")
    settled(page)
    held = []
    page.route("**/api/pictures/grey.png", lambda route: held.append(route))
    go(page, "grey.png")
    page.wait_for_selector("#hint >> text=Opening")
    assert is_empty(page)
    assert not page.locator("#readout").is_visible()
    go(page, "chelsea.png")  # its answer overtakes the other's
    page.wait_for_selector("#picture-name >> text=chelsea.png")
    settled(page)
    with page.expect_response("**/api/pictures/grey.png"):
        held.pop().continue_()
    settled(page)
    assert page.inner_text("#picture-name") == "chelsea.png"
    assert not is_empty(page)
    assert "Opening" not in page.inner_text("#viewer")
    go(page, "grey.png")
    page.wait_for_selector("#hint >> text=Opening")
    held.pop().continue_()
    page.wait_for_selector("#picture-name >> text=grey.png")
    settled(page)
    assert "Opening" not in page.inner_text("#viewer")


SIZES = [(1280, 800), (1220, 800), (1100, 700), (844, 390), (768, 1024), (660, 375), (390, 844)]


WIDE_FONTS = {"--sans": "DejaVu Sans", "--serif": "DejaVu Serif"}

RESIZED = """async () => {
    const { viewport } = OpenSeadragon.getViewer("canvas");
    const canvas = document.getElementById("canvas");
    for (let still = 0; still < 5; ) {
        await new Promise((done) => requestAnimationFrame(done));
        still = viewport.getContainerSize().x === canvas.clientWidth
            && viewport.getContainerSize().y === canvas.clientHeight ? still + 1 : 0;
    }
}"""


@pytest.mark.parametrize("language", ["en", "zh-Hant"])
def test_badge_names_the_model_at_every_zoom_and_size(open_page, client, language):
    name = max((one["name"] for one in client.get("/api/models").json()["models"]), key=len)
    page = open_page()
    page.route(is_inferred_tile, lambda route: None)  # nobody looks at them
    page.goto("about:blank")
    page.goto(
        f"{client.base_url}/?lang={language}#picture=chelsea.png&zoom=3200&x=0.4&y=0.4&model={name}"
    )
    page.wait_for_selector(f"#zoom-words >> text={name}")
    heights = set()
    for width, height in SIZES:
        page.set_viewport_size({"width": width, "height": height})
        page.evaluate(RESIZED)  # a change of size moves the zoom, too
        page.focus("#rail")
        page.keyboard.press("End")
        page.wait_for_function(
            "() => document.getElementById('zoom-figure').textContent[0] === '3'"
        )
        for fonts, is_working in itertools.product(({}, WIDE_FONTS), (True, False)):
            cut = page.evaluate(
                """([fonts, isWorking]) => {
                    const style = document.documentElement.style;
                    for (const name of ["--sans", "--serif"]) style.removeProperty(name);
                    for (const one of Object.entries(fonts)) style.setProperty(...one);
                    const [words, working] = ["zoom-words", "working"].map((id) =>
                        document.getElementById(id));
                    working.hidden = !isWorking;
                    working.textContent = "inferring … 12";
                    return [words, working].filter((one) => one.scrollWidth > one.clientWidth)
                        .map((one) => one.textContent);
                }""",
                [fonts, is_working],
            )
            assert not cut, (width, fonts, is_working)
            assert page.locator("#rail").bounding_box()["width"] > 150
            heights.add(page.locator("#readout").bounding_box()["height"])
        assert zoom_percent(page) == 3200
    assert max(heights) <= TARGET_PX


def test_zooming_past_its_own_size_infers_detail(open_page):
    page = open_page("#picture=chelsea.png&zoom=50&x=0.5&y=0.5")
    settled(page)
    assert page.text_content("#zoom-words") == "reduced"
    page.keyboard.press("1")
    page.wait_for_function(
        "() => document.getElementById('zoom-words').textContent === 'original pixels'"
    )
    assert zoom_percent(page) == 100
    with page.expect_response(lambda got: "~x" in got.url and "default" in got.url) as first:
        page.mouse.move(640, 400)
        for _ in range(6):
            page.mouse.wheel(0, -120)
            page.wait_for_timeout(80)
    assert first.value.headers["x-clearzoom-pixels"] == "inferred"
    settled(page)
    assert zoom_percent(page) > 300
    assert page.text_content("#zoom-words") == "inferred by fast"


def test_inferred_tiles_replace_the_interpolated_picture(open_page):
    page = open_page(f"{EYE}&mode=compare")
    settled(page)
    page.focus("#divider")
    page.keyboard.press("End")
    settled(page)
    interpolated = shot(page)[100:500, 100:1100]
    page.keyboard.press("Home")
    settled(page)
    inferred = shot(page)[100:500, 100:1100]
    assert np.abs(inferred - interpolated).mean() > 1
    assert fineness(inferred) > 1.1 * fineness(interpolated)


def test_divider_moves_by_keyboard_and_pointer(open_page):
    page = open_page(f"{EYE}&mode=compare")
    settled(page)
    before, zoom = shot(page), zoom_percent(page)
    divider = page.locator("#divider")
    assert divider.get_attribute("aria-valuenow") == "50"
    divider.focus()
    for _ in range(5):
        page.keyboard.press("ArrowLeft")
    assert divider.get_attribute("aria-valuenow") == "40"
    settled(page)
    changed = np.abs(shot(page) - before).sum(axis=(0, 2))
    assert changed[:511].max() == 0 < changed[513:639].mean()
    page.mouse.move(512, 300)
    page.mouse.down()
    page.mouse.move(960, 300, steps=4)
    page.mouse.up()
    assert divider.get_attribute("aria-valuenow") == "75"
    assert zoom_percent(page) == zoom


def test_zoom_and_pan_keep_both_sides_in_register(open_page):
    page = open_page(f"{EYE}&mode=compare")
    settled(page)
    page.keyboard.press("ArrowRight")
    page.keyboard.press("+")
    settled(page)
    pixels = shot(page)
    middle = pixels.shape[1] // 2
    page.locator("#divider").focus()
    page.keyboard.press("End")
    settled(page)
    plain = shot(page)
    assert np.abs(pixels[:, : middle - 1] - plain[:, : middle - 1]).max() == 0
    assert 0 < np.abs(pixels[:, middle + 1 :] - plain[:, middle + 1 :]).mean() < 12


def test_lens_follows_the_mouse_and_the_arrow_keys(open_page):
    page = open_page(EYE)
    settled(page)
    page.keyboard.press("l")
    page.wait_for_selector("#lens")
    page.mouse.move(400, 300)
    left = page.evaluate("document.getElementById('lens').style.left")
    assert left == "400px"
    page.focus("#lens")
    page.keyboard.press("ArrowRight")
    assert page.evaluate("parseFloat(document.getElementById('lens').style.left)") > 400
    page.keyboard.press("l")
    assert not page.locator("#lens").is_visible()


def test_fidelity_colours_what_was_added(open_page):
    page = open_page(EYE)
    settled(page)
    before = shot(page)
    page.keyboard.press("f")
    assert page.locator("#legend").is_visible()
    settled(page)
    assert np.abs(shot(page) - before).mean() > 1
    page.keyboard.press("f")
    settled(page)
    assert np.abs(shot(page) - before).mean() < 0.1


def test_another_model_and_strength_give_another_picture(open_page):
    page = open_page(EYE)
    settled(page)
    before = shot(page)
    page.click("#tool-model")
    with page.expect_response(lambda got: "photo-crisp" in got.url and "default" in got.url):
        page.click("#models >> text=photo-crisp")
    page.wait_for_function(
        "() => document.getElementById('zoom-words').textContent.includes('crisp')"
    )
    settled(page)
    crisp = shot(page)
    assert np.abs(crisp - before).mean() > 0.3
    page.focus("#strength")
    with page.expect_response(lambda got: "photo-crisp%2C0.5" in got.url and "default" in got.url):
        for _ in range(5):
            page.keyboard.press("ArrowLeft")
    page.wait_for_function("() => location.hash.includes('strength=0.5')")
    page.keyboard.press("Escape")
    assert not page.locator("#models").is_visible()


def test_a_level_of_cleaning_is_asked_for_where_the_model_has_levels(open_page):
    page = open_page(f"{EYE}&model=fast")
    settled(page)
    page.click("#tool-model")
    assert not page.locator("#denoise-lines").is_visible()
    page.goto("about:blank")
    page = open_page("#picture=grey.png&zoom=150&x=0.5&y=0.5&model=photo")
    settled(page)
    page.click("#tool-model")
    assert page.locator("#denoise-auto").is_checked()
    page.focus("#denoise")
    with page.expect_request(lambda got: "%2Cd0.6" in got.url):
        page.keyboard.press("ArrowRight")
    page.wait_for_function("() => location.hash.includes('denoise=0.6')")
    assert not page.locator("#denoise-auto").is_checked()
    page.click("#denoise-auto")
    page.wait_for_function("() => !location.hash.includes('denoise')")


def test_languages_and_themes(open_page):
    page = open_page("?lang=zh-TW")
    assert page.locator("h1:visible").inner_text() == "越放大越清晰"
    assert page.get_attribute("html", "lang") == "zh-Hant"
    page.click("#language")
    page.wait_for_selector("h1 >> text=The more you zoom, the clearer.")
    assert page.get_attribute("html", "data-theme") == "light"
    page.click("#theme")
    assert page.get_attribute("html", "data-theme") == "dark"
    page.reload()
    assert page.get_attribute("html", "data-theme") == "dark"
    assert page.locator("h1:visible").inner_text() == "The more you zoom, the clearer."


@pytest.mark.parametrize(("locale", "title"), [("zh-TW", "越放大越清晰"), ("de", "The more")])
def test_language_of_the_browser(open_page, locale, title):
    page = open_page(locale=locale)
    assert page.locator("h1:visible").inner_text().startswith(title)


def test_enlarged_file_has_the_size_that_was_said(open_page):
    page = open_page(EYE)
    settled(page)
    page.keyboard.press("d")
    page.wait_for_selector("#download")
    page.check("input[value=pixels]", force=True)
    page.fill("#size-width", "700")
    assert page.inner_text("#outcome-size") == f"700 {TIMES} 466 px"
    page.click("#download-start")
    page.wait_for_selector("#job-save")
    with page.expect_download() as got:
        page.click("#job-save")
    with Image.open(got.value.path()) as picture:
        assert picture.size == (700, 466)
    assert got.value.suggested_filename.endswith(".png")


def test_print_size_is_said_in_px_and_warns(open_page):
    page = open_page(EYE)
    settled(page)
    page.click("#download-open")
    page.check("input[value=print]", force=True)
    page.fill("#print-width", "60")
    page.fill("#print-height", "70")
    page.fill("#print-dpi", "300")
    assert page.inner_text("#outcome-size") == f"7,087 {TIMES} 4,714 px"
    assert "19 dots per inch" in page.inner_text("#outcome-caution")
    page.fill("#print-width", "0")
    assert page.locator("#download-start").is_disabled()


def test_enlarging_can_be_cancelled(open_page):
    page = open_page(EYE)
    settled(page)
    page.click("#download-open")
    page.fill("#size-times", "24")
    page.click("#download-start")
    page.wait_for_function("() => document.getElementById('job-part').textContent.includes('of')")
    with page.expect_response(lambda got: got.request.method == "DELETE") as gone:
        page.click("#job-cancel")
    assert gone.value.status == 204
    assert page.evaluate("document.activeElement.id") == "download-start"
    assert page.input_value("#size-times") == "24"
    page.keyboard.press("Escape")
    page.keyboard.press("d")
    assert page.locator("#download-start").is_enabled()
    assert not page.locator("#download-work").is_visible()


def test_keys_count_again_as_soon_as_a_dialog_is_closed(open_page):
    page = open_page("#picture=chelsea.png")
    settled(page)
    page.keyboard.press("d")
    page.focus("#size-times")
    # At once, so that the browser has not yet taken the focus from the field.
    focused, is_open = page.evaluate("""() => {
      const dialog = document.getElementById('download');
      dialog.close();
      const focused = document.activeElement;
      focused.dispatchEvent(new KeyboardEvent('keydown', { key: 'd', bubbles: true }));
      return [focused.id, dialog.open];
    }""")
    assert (focused, is_open) == ("size-times", True)


REFUSED = [
    ("chelsea.png", {"times": "54.3"}, "png", ""),
    (
        "chelsea.png",
        {"times": "54.5"},
        "png",
        "at most 400 megapixels: of this picture, 54.3 times",
    ),
    ("chelsea.png", {"times": "1e9"}, "png", "at most 400 megapixels"),
    ("chelsea.png", {"times": "40"}, "webp", "at most 16,383 px"),
    ("grey.png", {"times": "64"}, "png", ""),
    ("grey.png", {"times": "64.1"}, "png", "at most 64 times"),
    ("grey.png", {"width": "7680"}, "png", ""),
    ("grey.png", {"width": "7681"}, "png", "at most 64 times"),
    ("grey.png", {"height": "5761"}, "png", "at most 64 times"),
]


def test_sizes_that_the_server_refuses_cannot_be_asked_for(open_page, client):
    page = open_page("#picture=chelsea.png")
    settled(page)
    for picture, size, kind, why in REFUSED:
        if page.inner_text("#picture-name") != picture:
            go(page, picture)
            page.wait_for_selector(f"#picture-name >> text={picture}")
            settled(page)
        page.keyboard.press("d")
        (field, value) = next(iter(size.items()))
        way = "times" if field == "times" else "pixels"
        page.check(f"input[value={way}]", force=True)
        for one in ("size-width", "size-height")[: 2 * (way == "pixels")]:
            page.fill(f"#{one}", "")
        page.fill(f"#size-{field}", value)
        page.select_option("#format", kind)
        said = page.inner_text("#outcome-caution")
        assert page.locator("#download-start").is_disabled() == bool(why), (size, said)
        assert why in said
        page.keyboard.press("Escape")
        # The server's own word on it.
        asked = {"scale" if field == "times" else field: value}
        asked |= {"picture": picture, "format": kind, "job": True}
        answer = client.post("/api/enlarge", params=asked)
        assert answer.status_code in ((400, 413) if why else (202,)), (size, answer.text)
        if not why:
            assert client.delete(answer.headers["location"]).status_code == 204


def test_large_prints_are_refused_with_the_reason(open_page):
    page = open_page("#picture=chelsea.png")
    settled(page)
    page.keyboard.press("d")
    page.check("input[value=print]", force=True)
    for name, value in {"width": "90", "height": "60", "dpi": "1200"}.items():
        page.fill(f"#print-{name}", value)
    assert page.locator("#download-start").is_disabled()
    assert "at most 400 megapixels" in page.inner_text("#outcome-caution")
    page.check("#print-fill")
    assert page.locator("#download-start").is_disabled()
    page.fill("#print-dpi", "300")
    assert page.locator("#download-start").is_enabled()


def test_picture_that_may_not_be_upscaled_is_offered_as_it_is(browser, serve, tmp_path, png):
    (tmp_path / "own.png").write_bytes(png(90, 60))
    (tmp_path / "clearzoom.toml").write_text("upscaling = false")
    server = serve(tmp_path)
    page = browser.new_page(locale="en-US")
    page.goto(f"{server.url}/#picture=own.png")
    page.wait_for_selector("#hint >> text=switched off")
    page.click("#download-open")
    assert page.input_value("#size-times") == "1"
    assert page.locator("#presets button:disabled").count() == 4
    assert page.locator("#download-start").is_enabled()
    assert page.inner_text("#download-by") == ""
    page.fill("#size-times", "1.5")
    assert page.locator("#download-start").is_disabled()
    assert "switched off" in page.inner_text("#outcome-caution")
    page.close()
    server.end()


def drop(page, name, content):
    page.evaluate(
        """([name, bytes]) => {
            const data = new DataTransfer();
            data.items.add(new File([new Uint8Array(bytes)], name));
            for (const type of ["dragenter", "dragover", "drop"]) {
                const options = { dataTransfer: data, bubbles: true, cancelable: true };
                document.body.dispatchEvent(new DragEvent(type, options));
            }
        }""",
        [name, list(content)],
    )


def test_dropped_file_opens_and_stays_for_the_session(open_page, png):
    page = open_page()
    page.wait_for_selector(".card")
    drop(page, "mine.png", png(80, 60))
    page.wait_for_selector("#picture-name >> text=mine.png")
    settled(page)
    assert f"80 {TIMES} 60 px" in page.inner_text("#picture-facts")
    page.keyboard.press("Escape")
    page.wait_for_selector(".card >> text=mine.png")
    page.reload()
    page.wait_for_selector(".card >> text=mine.png")
    page.click(".remove")
    page.wait_for_selector(".card >> text=mine.png", state="detached")


def test_uploads_and_folder_have_headings_and_gaps(open_page, png):
    page = open_page()
    page.wait_for_selector(".card")
    nested = "old scans/貓 & co"
    assert page.locator("#shelves h3").all_inner_texts() == [nested]
    drop(page, "mine.png", png(80, 60))
    page.wait_for_selector("#picture-name >> text=mine.png")
    page.keyboard.press("Escape")
    page.wait_for_selector(".card >> text=mine.png")
    titles = ["Yours, for this session", "In this server\u2019s folder", nested]
    assert page.locator("#shelves h3").all_inner_texts() == titles
    places = [page.locator(".shelf").nth(i).bounding_box() for i in range(len(titles))]
    for above, below in itertools.pairwise(places):
        assert below["y"] - above["y"] - above["height"] >= TARGET_PX
    page.click(".remove")
    page.wait_for_selector(".card >> text=mine.png", state="detached")
    assert page.locator("#shelves h3").all_inner_texts() == [nested]


def test_damaged_picture_has_a_quiet_card(open_page):
    page = open_page()
    card = page.locator(f"[data-picture='{DAMAGED}']")
    card.scroll_into_view_if_needed()
    card.locator(".damaged").wait_for()
    assert card.locator("img").count() == 0
    assert card.inner_text().split("\n")[0] == "Cannot be shown"
    neighbour = page.locator("[data-picture='chelsea.png'] .mat").bounding_box()
    assert card.locator(".mat").bounding_box()["height"] == neighbour["height"]
    page.click("#language")
    page.locator(f"[data-picture='{DAMAGED}'] >> text=無法顯示").wait_for()


def test_back_button_leads_to_the_gallery_and_links_into_a_view(open_page):
    page = open_page()
    page.click("[data-picture='chelsea.png']")
    settled(page)
    for _ in range(3):
        page.keyboard.press("+")
    page.keyboard.press("c")
    page.wait_for_function("() => location.hash.includes('mode=compare')")
    settled(page)
    there, zoom = page.url.split("/", 3)[3], zoom_percent(page)
    page.go_back()
    page.wait_for_selector(".card")
    assert not page.locator("#viewer").is_visible()
    page.goto("about:blank")
    again = open_page(there)
    settled(again)
    assert abs(zoom_percent(again) - zoom) <= 1
    assert again.locator("#divider").is_visible()


def test_everything_by_keyboard_alone(open_page):
    page = open_page()
    page.wait_for_selector(".card")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.id") == "skip"
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "card"
    page.keyboard.press("Enter")
    settled(page)
    assert page.evaluate("document.activeElement.id") == "stage"
    where = page.evaluate("location.hash")
    page.keyboard.press("+")
    page.keyboard.press("ArrowLeft")
    page.wait_for_function("where => location.hash !== where", arg=where)
    reached = set()
    for _ in range(16):
        page.keyboard.press("Tab")
        reached.add(page.evaluate("document.activeElement.id"))
    assert {
        "rail",
        "zoom-in",
        "tool-compare",
        "tool-lens",
        "tool-fidelity",
        "tool-model",
    } <= reached
    page.focus("#rail")
    before = zoom_percent(page)
    page.keyboard.press("PageUp")
    settled(page)
    assert zoom_percent(page) > before
    assert int(page.get_attribute("#rail", "aria-valuenow")) == zoom_percent(page)
    assert "inferred" in page.get_attribute("#rail", "aria-valuetext")
    page.keyboard.press("?")
    assert page.locator("#help").is_visible()
    page.keyboard.press("Escape")
    assert not page.locator("#help").is_visible()
    assert page.locator("#viewer").is_visible()
    page.keyboard.press("Escape")
    page.wait_for_selector(".card")


def test_screen_readers_hear_the_zoom(open_page):
    page = open_page(EYE)
    settled(page)
    page.keyboard.press("1")
    page.wait_for_function(
        "() => /100.%.*original/.test(document.getElementById('aloud').textContent)"
    )


def test_phone_by_touch(open_page):
    page = open_page(EYE, viewport=PHONE, has_touch=True, is_mobile=True)
    settled(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    buttons = page.locator("button:visible, .icon:visible, [role=slider]:visible")
    for i in range(buttons.count()):
        box = buttons.nth(i).bounding_box()
        assert min(box["width"], box["height"]) >= TARGET_PX
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= PHONE["width"]
    page.tap("#tool-lens")
    page.touchscreen.tap(120, 300)
    page.wait_for_function("() => document.getElementById('lens').style.left === '120px'")
    page.tap("#tool-compare")
    before = zoom_percent(page)
    page.tap("#zoom-in")
    settled(page)
    assert zoom_percent(page) > before


def test_phone_gallery_fits(open_page):
    page = open_page("?lang=zh-Hant", viewport=PHONE, has_touch=True, is_mobile=True)
    page.wait_for_selector(".card")
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]


def luminance(colour):
    levels = np.array([float(part) for part in re.findall(r"[\d.]+", colour)[:3]]) / 255
    linear = np.where(levels <= 0.04045, levels / 12.92, ((levels + 0.055) / 1.055) ** 2.4)
    return linear @ [0.2126, 0.7152, 0.0722]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_stands_out(open_page, scheme):
    page = open_page(color_scheme=scheme)
    colours = page.evaluate(
        """() => {
            const probe = document.body.appendChild(document.createElement("i"));
            const colour = (name) => {
                probe.style.color = `var(--${name})`;
                return getComputedStyle(probe).color;
            };
            const names = ["ink", "soft", "inferred", "danger", "paper", "surface", "wash"];
            return Object.fromEntries(names.map((name) => [name, colour(name)]));
        }"""
    )
    for text in ("ink", "soft", "inferred", "danger"):
        for ground in ("paper", "surface", "wash"):
            light, dark = sorted((luminance(colours[text]), luminance(colours[ground])))[::-1]
            assert (light + 0.05) / (dark + 0.05) >= CONTRAST_AA, (text, ground)


def test_empty_folder_invites(browser, serve, tmp_path):
    server = serve(tmp_path)
    page = browser.new_page(locale="en-US")
    page.goto(server.url)
    page.wait_for_selector("#home.empty")
    assert page.locator("#adding").is_visible()
    assert "holds no pictures yet" in page.inner_text("#gallery-state")
    page.close()
    server.end()
