"""The page in a real Chromium, against the real server."""

import io
import re

import numpy as np
import pytest
from PIL import Image

DESKTOP = {"width": 1280, "height": 800}
PHONE = {"width": 360, "height": 740}
EYE = "#picture=chelsea.png&zoom=600&x=0.4&y=0.4"
WAIT_MS = 60_000  # the first tiles load a network, on a machine that does much else
CONTRAST_AA = 4.5
TARGET_PX = 44
TIMES = "\u00d7"


@pytest.fixture
def open_page(browser, server):
    """Open the page; in the end nothing may have failed, or been said on the console."""
    contexts, wrong = [], []

    def make(path="", *, size=DESKTOP, **options):
        options = {"locale": "en-US", "reduced_motion": "reduce"} | options
        context = browser.new_context(viewport=size, **options)
        context.set_default_timeout(WAIT_MS)
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda said: wrong.append(f"{said.type}: {said.text}"))
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on(
            "response", lambda got: got.status >= 400 and wrong.append(f"{got.status} {got.url}")
        )
        page.on("requestfailed", lambda asked: failed(asked, wrong))
        page.on("request", lambda asked: away(asked, server.url, wrong))
        page.goto(f"{server.url}/{path}")
        return page

    yield make
    for context in contexts:
        context.close()
    assert not wrong


def failed(asked, wrong):
    # Tiles that nobody looks at any more, and the stream of a job that was cancelled.
    if "ERR_ABORTED" not in (asked.failure or ""):
        wrong.append(f"{asked.failure} {asked.url}")


def away(asked, url, wrong):
    if not asked.url.startswith((url, "blob:", "data:")):
        wrong.append(f"outside: {asked.url}")


def settled(page):
    """Wait until all that the view wants has arrived and is drawn."""
    page.wait_for_function(
        "() => document.getElementById('zoom-figure').textContent !== ''"
        " && document.getElementById('working').hidden"
    )
    page.wait_for_load_state("networkidle")
    page.wait_for_timeout(600)


def zoom_percent(page):
    return int(re.sub(r"\D", "", page.text_content("#zoom-figure")))


def shot(page, selector="#canvas canvas"):
    picture = Image.open(io.BytesIO(page.locator(selector).first.screenshot()))
    return np.asarray(picture.convert("RGB")).astype(int)


def fineness(pixels):
    """Mean difference of neighbours."""
    return np.abs(np.diff(pixels, axis=1)).mean()


def test_gallery_says_what_it_is_and_lists_pictures(open_page):
    page = open_page()
    assert page.locator("h1:visible").inner_text() == "The more you zoom, the clearer."
    page.wait_for_selector(".card >> text=chelsea.png")
    page.wait_for_selector("#peek-after.there")
    assert page.locator(".card").count() == 5
    assert f"451 {TIMES} 300 px" in page.inner_text("#shelves")
    assert "貓 & co" in page.inner_text("#shelves")
    page.click("#unreadable summary")
    assert "damaged.png" in page.inner_text("#unreadable")


def test_peek_slides_by_keyboard_and_leads_into_the_picture(open_page):
    page = open_page()
    page.wait_for_selector("#peek-after.there")
    page.focus("#peek-range")
    for _ in range(10):
        page.keyboard.press("ArrowLeft")
    assert page.evaluate("document.getElementById('peek-picture').style.cssText") == "--split: 40%;"
    page.click("#peek-open")
    page.wait_for_selector("#divider")
    settled(page)
    assert zoom_percent(page) == 600


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
        for _ in range(8):
            page.mouse.wheel(0, -120)
            page.wait_for_timeout(80)
    assert first.value.headers["x-clearzoom-pixels"] == "inferred"
    settled(page)
    assert zoom_percent(page) > 300
    assert page.text_content("#zoom-words") == "inferred by photo"


def test_inferred_tiles_replace_the_interpolated_picture(open_page):
    page = open_page(f"{EYE}&mode=compare")
    settled(page)
    page.focus("#divider")
    page.keyboard.press("End")
    page.wait_for_timeout(300)
    interpolated = shot(page)[100:500, 100:1100]
    page.keyboard.press("Home")
    page.wait_for_timeout(300)
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
    page.wait_for_timeout(300)
    changed = np.abs(shot(page) - before).sum(axis=(0, 2))
    assert changed[:500].max() == 0 < changed[520:630].mean()
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
    page.wait_for_timeout(300)
    plain = shot(page)
    assert np.abs(pixels[:, : middle - 40] - plain[:, : middle - 40]).max() == 0
    seam = np.abs(pixels[:, middle + 40 :] - plain[:, middle + 40 :])
    assert 0 < seam.mean() < 12


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
    page.wait_for_timeout(300)
    assert np.abs(shot(page) - before).mean() < 0.1


def test_another_model_and_strength_give_another_picture(open_page):
    page = open_page(EYE)
    settled(page)
    before = shot(page)
    page.click("#tool-model")
    page.click("#models >> text=fast-perceptual")
    page.wait_for_function(
        "() => document.getElementById('zoom-words').textContent.includes('perceptual')"
    )
    settled(page)
    crisp = shot(page)
    assert np.abs(crisp - before).mean() > 0.3
    page.focus("#strength")
    with page.expect_response(
        lambda got: "fast-perceptual%2C0.5" in got.url and "default" in got.url
    ):
        for _ in range(5):
            page.keyboard.press("ArrowLeft")
    page.wait_for_function("() => location.hash.includes('strength=0.5')")
    page.keyboard.press("Escape")
    assert not page.locator("#models").is_visible()


def test_languages_and_themes(open_page):
    page = open_page("?lang=zh-TW")
    assert page.locator("h1:visible").inner_text() == "越放大越清晰"
    assert page.get_attribute("html", "lang") == "zh-Hant"
    page.click("#language")
    assert page.locator("h1:visible").inner_text() == "The more you zoom, the clearer."
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
    assert page.inner_text("#job-text") == "Cancelled."
    page.click("#job-another")
    assert page.locator("#download-start").is_visible()


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
    page = open_page(EYE, size=PHONE, has_touch=True, is_mobile=True)
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
    page = open_page("?lang=zh-Hant", size=PHONE, has_touch=True, is_mobile=True)
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
