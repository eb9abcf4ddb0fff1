"""The gallery in a real Chromium: cells that fit, the hero, and what is loaded when."""

import io
from urllib.parse import quote

import numpy as np
import pytest
from helpers.page import TIMES, settled, shot, zoom_percent
from PIL import Image

pytestmark = pytest.mark.browser

PHONE = {"width": 390, "height": 844}
LONG = "A_very_long_title_as_archives_write_them_NMA.2019.0034-b_recto_final_version_2_of_3.png"
GRAINY = "a grainy scan.png"
SPOILT = "b compressed.jpg"
FRAMES = 5
SMALL = ("small.png", 90, 60)


@pytest.fixture(scope="module")
def folder(tmp_path_factory, photo):
    """Pictures of every shape; those that come first by name are the worst to enlarge."""
    root = tmp_path_factory.mktemp("mixed")
    picture = Image.fromarray(photo)
    grain = np.random.default_rng(0).normal(0, 30, (600, 800, 3))
    large = np.asarray(picture.resize((800, 600))).astype(float)
    Image.fromarray(np.clip(large + grain, 0, 255).astype(np.uint8)).save(root / GRAINY)
    picture.save(root / SPOILT, quality=20)
    picture.save(root / LONG)
    picture.crop((0, 0, *SMALL[1:])).save(root / SMALL[0])
    picture.crop((0, 100, 451, 140)).resize((1804, 160)).save(root / "wide.png")
    picture.crop((100, 0, 140, 300)).resize((160, 1200)).save(root / "tall.png")
    frames = [picture.crop((step, 0, 120 + step, 90)) for step in range(FRAMES)]
    frames[0].save(root / "moves.gif", save_all=True, append_images=frames[1:], duration=80)
    return root


LOADED = """(image) => new Promise((done) => {
    if (image.naturalWidth) done();
    else image.addEventListener("load", () => done(), { once: true });
})"""


@pytest.fixture(scope="module")
def server(serve, folder):
    server = serve(folder, "--model", "fast", "--consistency", "tones")
    yield server
    server.end()


def test_the_answer_states_frames_and_what_compression_has_spoilt(client):
    told = {one["name"]: one for one in client.get("/api/pictures").json()["pictures"]}
    assert {name: one["frames"] for name, one in told.items() if one["frames"] != 1} == {
        "moves.gif": FRAMES
    }
    assert told[LONG]["compression_error"] == 0
    assert told[SPOILT]["compression_error"] > 5
    alone = client.get(f"/api/pictures/{SPOILT}").json()
    assert alone == told[SPOILT]


@pytest.mark.parametrize("width", [1280, 768, 390, 320])
@pytest.mark.parametrize("language", ["en", "zh-Hant"])
def test_cells_are_alike_and_nothing_overflows(open_page, width, language):
    page = open_page(f"?lang={language}", viewport={"width": width, "height": 844})
    page.wait_for_selector(".card")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    mats = [box.bounding_box() for box in page.locator(".mat").all()]
    assert len(mats) == 7
    assert len({(round(box["width"]), box["height"]) for box in mats}) == 1
    assert mats[0]["width"] < width / 2
    # A whole name does not fit; its first lines do.
    assert page.locator(".card .name", has_text=LONG).bounding_box()["width"] <= width / 2


def test_a_small_picture_is_not_blown_up_on_its_card(open_page):
    page = open_page()
    image = page.locator(f"[data-picture='{SMALL[0]}'] img")
    image.scroll_into_view_if_needed()
    image.evaluate(LOADED)
    box = image.bounding_box()
    assert (box["width"], box["height"]) == SMALL[1:]


def test_a_card_s_name_is_what_stands_on_it(open_page):
    page = open_page("?lang=en")
    card = page.get_by_role("link", name=f"{LONG} 451 {TIMES} 300 px", exact=True)
    card.wait_for()
    moves = page.get_by_role(
        "link", name=f"moves.gif 120 {TIMES} 90 px \u00b7 animation", exact=True
    )
    moves.wait_for()


def test_the_hero_is_neither_grainy_nor_compressed_and_at_200_percent(open_page):
    page = open_page("?lang=en")
    page.wait_for_selector("#peek-after.there")
    assert page.inner_text("#peek-caption") == f"{LONG}, a detail at 200 %"
    size = page.evaluate("[document.getElementById('peek-after').naturalWidth, innerWidth]")
    assert size[0] == 2 * 320
    assert "zoom=200" in page.get_attribute("#peek-open", "href")


def test_where_all_are_grainy_the_hero_is_the_original(browser, serve, folder, tmp_path):
    for name in (GRAINY, SPOILT):
        (tmp_path / name).write_bytes((folder / name).read_bytes())
    server = serve(tmp_path)
    page = browser.new_page(locale="en-US")
    page.goto(server.url)
    page.wait_for_selector("#peek-before.there")
    assert page.inner_text("#peek-caption").endswith("a detail at 100 %")
    assert page.inner_text("#peek-left") == "Original pixels"
    assert "~x" not in page.get_attribute("#peek-before", "src")
    assert not page.locator("#peek-range").is_visible()
    assert not page.locator("#peek .inferred").is_visible()
    page.close()
    server.end()


@pytest.mark.parametrize("name", [SMALL[0], "moves.gif"])
def test_small_pictures_open_at_100_percent(open_page, name):
    page = open_page(f"#picture={name}")
    settled(page)
    assert zoom_percent(page) == 100
    assert page.text_content("#zoom-words") == "original pixels"
    layers = page.evaluate("""() => {
        const { world } = OpenSeadragon.getViewer("canvas");
        const all = Array.from({ length: world.getItemCount() }, (_, i) => world.getItemAt(i));
        return all.map((layer) => layer.getTilesToDraw().length);
    }""")
    assert layers == [1, 0, 0, 0]  # nothing inferred lies over it
    drawn = shot(page).any(axis=2)
    rows, columns = drawn.any(axis=1), drawn.any(axis=0)
    wide = {SMALL[0]: SMALL[1:], "moves.gif": (120, 90)}[name]
    assert (columns.sum(), rows.sum()) == wide
    # In the middle, and larger where somebody asks for it.
    assert abs(np.flatnonzero(columns).mean() - drawn.shape[1] / 2) <= 1
    page.keyboard.press("0")
    settled(page)
    assert zoom_percent(page) > 300


def test_at_100_percent_a_px_of_the_screen_is_one_of_the_picture(open_page, client):
    """Nothing is smeared, and there is no seam between tiles of 512 px."""
    page = open_page(f"#picture={quote(GRAINY)}")
    page.set_viewport_size({"width": 1001, "height": 843})
    settled(page)
    page.keyboard.press("+")
    page.keyboard.press("1")
    page.wait_for_function("() => document.getElementById('zoom-words').textContent[0] === 'o'")
    settled(page)
    assert zoom_percent(page) == 100
    seen = shot(page)
    tile = client.get(f"/iiif/3/{quote(GRAINY)}/full/max/0/default.webp").content
    with Image.open(io.BytesIO(tile)) as picture:
        whole = np.asarray(picture.convert("RGB")).astype(int)
    drawn = seen.any(axis=2)
    rows, columns = (np.flatnonzero(drawn.any(axis=axis)) for axis in (1, 0))
    part = seen[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    assert part.shape == whole.shape
    assert np.abs(part - whole).mean() < 5
    assert np.abs(np.roll(part, 1, axis=1) - whole).mean() > 20  # a px beside, it is another


def test_an_animation_says_that_its_first_frame_is_shown(open_page):
    page = open_page("#picture=moves.gif")
    settled(page)
    assert page.inner_text("#hint") == (
        f"An animation of {FRAMES} frames: only the first one is shown."
    )
    page.keyboard.press("d")
    offered = page.locator("#format option:not([hidden])")
    values = [option.get_attribute("value") for option in offered.all()]
    assert values == ["png", "webp", "gif"]
    assert f"Each of the {FRAMES} frames is enlarged" in page.inner_text("#outcome-more")
    page.fill("#size-times", "2")
    page.select_option("#format", "gif")
    page.click("#download-start")
    page.wait_for_selector("#job-save")
    with page.expect_download() as got:
        page.click("#job-save")
    with Image.open(got.value.path()) as made:
        assert (made.size, made.n_frames) == ((240, 180), FRAMES)


def test_the_gallery_loads_nothing_of_the_viewer(open_page):
    page = open_page()
    page.wait_for_load_state("networkidle")  # what it still asks for does not count
    asked = []
    page.on("request", lambda one: asked.append(one.url))
    page.reload()
    page.wait_for_selector("#peek-after.there")
    loaded = " ".join(asked)
    for part in ("openseadragon", "viewer", "dialog.css", "download.js", "words-zh", "api/models"):
        assert part not in loaded, part
    before = len(asked)
    page.click(f"[data-picture='{SMALL[0]}']")
    settled(page)
    assert any("openseadragon.min.js" in url for url in asked[before:])
    # Each file once, though all are asked for before they are needed.
    scripts = [url for url in asked if url.endswith((".js", ".css", ".html"))]
    assert len(scripts) == len(set(scripts))


def test_opening_is_said_at_once(open_page):
    page = open_page("?lang=en")
    page.wait_for_selector(".card")
    held = []
    page.route("**/static/viewer.html", lambda route: held.append(route))
    page.click(f"[data-picture='{SMALL[0]}']")
    assert page.locator("#opening").is_visible()
    assert page.inner_text("#opening [role=status]") == "Opening \u2026"
    assert not page.locator("#home").is_visible()
    page.click("#opening-back")  # changes his mind
    page.wait_for_selector(".card")
    assert not page.locator("#opening").is_visible()
    page.click(f"[data-picture='{LONG}']")
    assert page.locator("#opening").is_visible()
    held.pop().continue_()
    settled(page)
    assert not page.locator("#opening").is_visible()
    assert page.inner_text("#picture-name") == LONG
    page.keyboard.press("Escape")
    page.wait_for_selector(".card")
    held_picture = []
    page.route(f"**/api/pictures/{SMALL[0]}", lambda route: held_picture.append(route))
    page.click(f"[data-picture='{SMALL[0]}']")
    assert page.inner_text("#hint") == "Opening \u2026"
    held_picture.pop().continue_()
    settled(page)


def saturation(pixels):
    return pixels.max(axis=2) - pixels.min(axis=2)


def test_what_was_added_is_the_only_colour(open_page):
    page = open_page(f"?lang=en#picture={LONG}&zoom=50&x=0.5&y=0.5")
    settled(page)
    assert saturation(shot(page)).max() > 40
    page.click("#tool-fidelity")
    settled(page)
    assert saturation(shot(page)).max() <= 2  # nothing is added at 50 %
    assert "Nothing is added" in page.inner_text("#hint")
    legend = page.inner_text("#legend")
    for words in ("What the network added", "nothing", "24 levels and more", "grey"):
        assert words in legend
    page.keyboard.press("1")
    for _ in range(4):
        page.keyboard.press("+")
    settled(page)
    coloured = shot(page)
    assert saturation(coloured).max() > 40
    # From yellow to deep pink over grey: red is never less than blue.
    assert (coloured[..., 0] - coloured[..., 2]).min() >= -3
    page.keyboard.press("f")
    settled(page)
    assert not page.locator("#legend").is_visible()


def test_each_side_says_what_it_is(open_page):
    page = open_page(f"?lang=en#picture={LONG}&zoom=300&x=0.5&y=0.5&mode=compare")
    settled(page)
    assert page.inner_text("#side-left") == "Interpolated"
    assert page.inner_text("#side-right") == "Inferred by fast"
    assert page.text_content("#zoom-words") == "left interpolated, right inferred"
    page.keyboard.press("1")
    page.wait_for_function("() => document.getElementById('side-right').textContent[0] === 'o'")
    assert page.inner_text("#side-left") == page.inner_text("#side-right") == "original pixels"
    page.focus("#divider")
    page.keyboard.press("End")
    assert page.locator("#side-left").is_visible()
    assert not page.locator("#side-right").is_visible()  # its side has no room


def test_the_first_card_has_its_picture_before_the_others(open_page):
    page = open_page()
    page.wait_for_selector(".card")
    page.goto("about:blank")
    asked, held = [], []
    pattern = "**/iiif/3/*/full/!280,280/0/default.webp"
    page.on("request", lambda one: asked.append(one.url) if "!280" in one.url else None)
    page.route(pattern, lambda route: held.append(route))
    page = open_page()
    page.wait_for_selector(".card")
    page.wait_for_timeout(200)
    assert len(asked) == 1
    held.pop().continue_()
    page.wait_for_function("() => document.querySelectorAll('.card img[src]').length === 7")
    for route in held:
        route.continue_()
    page.unroute_all()
