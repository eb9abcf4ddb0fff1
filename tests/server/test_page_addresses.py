"""Addresses: the page below a proxy's prefix, and IIIF Content States that lead into it."""

import base64
import json
from urllib.parse import quote

import pytest
from helpers.page import settled, zoom_percent

from clearzoom.server.app import create_app

pytestmark = pytest.mark.browser

MANIFEST = "{root}/iiif/presentation/3/{picture}/manifest"


@pytest.fixture(scope="module")
def server(serve, served_folder):
    server = serve(served_folder, "--model", "fast", "--consistency", "tones")
    yield server
    server.end()


def encoded(content):
    """As the standard's appendix does."""
    text = content if isinstance(content, str) else json.dumps(content)
    return base64.urlsafe_b64encode(quote(text, safe="").encode()).decode().rstrip("=")


def canvas_of(root, picture, fragment=""):
    manifest = MANIFEST.format(root=root, picture=picture)
    canvas = manifest.replace("/manifest", "/canvas/1")
    partly = {"id": f"{canvas}{fragment}", "type": "Canvas"}
    return partly | {"partOf": [{"id": manifest, "type": "Manifest"}]}


def forms(root, picture, part):
    """The forms of the standard for a part of a picture."""
    canvas = canvas_of(root, picture)
    region = {"type": "FragmentSelector", "value": f"xywh={part}"}
    specific = {"type": "SpecificResource", "source": canvas, "selector": region}
    annotation = {
        "@context": "http://iiif.io/api/presentation/3/context.json",
        "id": "https://example.org/import/1",
        "type": "Annotation",
        "motivation": ["contentState"],
    }
    target = canvas_of(root, picture, f"#xywh={part}")
    return {
        "target": encoded(target),
        "annotation": encoded(annotation | {"target": target}),
        "selector": encoded(annotation | {"target": specific}),
        "canvas's address": quote(target["id"], safe=""),
        "plain JSON": quote(json.dumps(target), safe=""),
    }


@pytest.mark.parametrize("form", forms("", "", ""))
def test_a_content_state_opens_the_region_that_it_names(open_page, server, form):
    state = forms(server.url, "chelsea.png", "100,75,200,150")[form]
    page = open_page(f"?lang=en&iiif-content={state}")
    settled(page)
    assert page.inner_text("#picture-name") == "chelsea.png"
    # 150 px fill the height of the stage, which is the narrower one.
    height = page.locator("#canvas").bounding_box()["height"]
    assert abs(zoom_percent(page) - 100 * height / 150) <= 1
    middle = page.evaluate("""() => {
        const { viewport } = OpenSeadragon.getViewer("canvas");
        const { x, y } = viewport.getCenter();
        return [x * 451, y * 451];
    }""")
    assert middle == pytest.approx([200, 150], abs=0.5)
    assert "iiif-content" not in page.url
    assert "lang=en" in page.url


def test_a_manifest_s_address_opens_the_whole(open_page, server):
    manifest = MANIFEST.format(
        root=server.url, picture="old%20scans%2F%E8%B2%93%20%26%20co%2Fchelsea%20small.jpg"
    )
    page = open_page(f"?iiif-content={quote(manifest, safe='')}")
    settled(page)
    assert page.inner_text("#picture-name") == "chelsea small.jpg"


def test_a_part_of_a_virtual_picture_is_that_part_of_the_picture(open_page, server):
    part = canvas_of(server.url, "chelsea.png~x4", "#xywh=percent:25,25,50,50")
    page = open_page(f"?iiif-content={encoded(part)}")
    settled(page)
    assert page.inner_text("#picture-name") == "chelsea.png"
    height = page.locator("#canvas").bounding_box()["height"]
    assert abs(zoom_percent(page) - 100 * height / 150) <= 1


@pytest.mark.parametrize(
    ("state", "said"),
    [
        ("https://elsewhere.example/manifest.json", "not on this server"),
        ("bm90aGluZw", "cannot be understood"),
        ("%%%", "cannot be understood"),
        ("", "cannot be understood"),
        (encoded({"type": "Annotation", "target": 5}), "cannot be understood"),
        (encoded("https://elsewhere.example/iiif/presentation/3/a/manifest"), "not on this server"),
    ],
)
def test_what_names_no_picture_of_this_server_is_said(open_page, state, said):
    page = open_page(f"?lang=en&iiif-content={quote(state, safe='')}")
    assert said in page.wait_for_selector(".toast").inner_text()
    page.wait_for_selector(".card")
    assert "iiif-content" not in page.url


def test_a_picture_that_is_gone_is_said(open_page, server):
    state = canvas_of(server.url, "gone.png")
    page = open_page(f"?lang=zh-Hant&iiif-content={encoded(state)}")
    assert "已經不在這個伺服器上" in page.wait_for_selector(".toast").inner_text()


PREFIX = b"/some/zoom"


@pytest.fixture
def below(served, session):
    """The application as a proxy gives it below a prefix, which it takes away."""

    def start(**limits):
        settings = session(**limits)
        app = create_app(settings)

        async def proxy(scope, receive, send):
            if scope["type"] == "http":
                if not scope["raw_path"].startswith(PREFIX + b"/"):
                    refused = {"type": "http.response.start", "status": 410, "headers": []}
                    await send(refused)
                    await send({"type": "http.response.body", "body": b"beside the prefix"})
                    return
                raw = scope["raw_path"][len(PREFIX) :]
                scope = scope | {"raw_path": raw, "path": raw.decode()}
            await app(scope, receive, send)

        return settings.folder, f"{served(proxy).base_url}".rstrip("/") + PREFIX.decode()

    return start


def test_the_page_works_below_a_prefix(below, browser, png):
    folder, root = below()
    (folder / "own picture.png").write_bytes(png(800, 600))
    page = browser.new_page(locale="en-US", viewport={"width": 1280, "height": 800})
    outside = []
    page.on("response", lambda got: outside.append(got.url) if got.status >= 400 else None)
    page.goto(f"{root}/")
    page.wait_for_selector(".card img")
    page.wait_for_selector("#peek-after.there")
    page.click(".card")
    settled(page)
    assert page.url.startswith(f"{root}/#picture=own+picture.png")
    page.keyboard.press("1")
    for _ in range(4):
        page.keyboard.press("+")
    settled(page)
    assert "inferred" in page.text_content("#zoom-words")
    page.keyboard.press("d")
    page.fill("#size-times", "1.2")
    page.click("#download-start")
    page.wait_for_selector("#job-save")
    with page.expect_download() as got:
        page.click("#job-save")
    assert got.value.path().stat().st_size > 1000
    page.click("#job-another")
    page.click("#download-here")
    page.wait_for_selector("#chosen")
    assert page.url.startswith(f"{root}/device?picture=")
    page.check("input[value='2']", force=True)
    page.check("input[value=fast]", force=True)
    page.click("#start")
    page.wait_for_selector("#save")
    page.click(".back")
    page.wait_for_selector(".card")
    assert page.url == f"{root}/"
    with page.expect_response(lambda answer: answer.request.method == "POST") as sent:
        page.set_input_files(
            "#file", {"name": "mine.png", "mimeType": "image/png", "buffer": png(90, 70)}
        )
    assert sent.value.url.startswith(f"{root}/api/pictures?")
    page.wait_for_selector("#picture-name >> text=mine.png")
    settled(page)
    page.go_back()
    page.wait_for_selector(".card >> text=mine.png")
    page.close()
    assert not outside


def test_a_file_that_is_chosen_before_its_part_of_the_page_is_there_is_added(below, browser, png):
    _, root = below()
    page = browser.new_page(locale="en-US")
    held = []
    page.route("**/static/files.js", lambda route: held.append(route))
    page.goto(f"{root}/")
    while not held:
        page.wait_for_timeout(20)
    page.set_input_files(
        "#file", {"name": "soon.png", "mimeType": "image/png", "buffer": png(90, 70)}
    )
    held[0].continue_()
    page.wait_for_selector("#picture-name >> text=soon.png")
    page.close()
