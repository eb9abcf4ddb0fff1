"""Viewers of others, in a real browser and on a page of another origin, show the manifests."""

import os
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from urllib.parse import quote

import numpy as np
import pytest
import pyvips
import tifffile
from helpers.file_server import Files, file_server

pytestmark = pytest.mark.browser

NESTED = "old scans/貓 & co/chelsea small.jpg"

TOOLS = Path(__file__).parents[3] / ".tools"
PAGES = {
    "mirador": """<!doctype html><meta charset="utf-8"><link rel="icon" href="data:,">
<div id="viewer" style="position:absolute;inset:0"></div>
<script src="mirador-4.0.0/dist/mirador.min.js"></script>
<script>
const manifest = decodeURIComponent(location.hash.slice(1));
Mirador.viewer({ id: "viewer", windows: [{ manifestId: manifest }] });
</script>""",
    "universalviewer": """<!doctype html><meta charset="utf-8"><link rel="icon" href="data:,">
<link rel="stylesheet" href="universalviewer-4.4.0/dist/uv.css">
<div id="uv" class="uv" style="position:absolute;inset:0"></div>
<script src="universalviewer-4.4.0/dist/umd/UV.js"></script>
<script>
const manifest = decodeURIComponent(location.hash.slice(1));
UV.init("uv", { manifest, embedded: true });
</script>""",
}
ZOOM_IN = {
    "mirador": lambda page: page.get_by_label("Zoom in").first.click(),
    "universalviewer": lambda page: page.get_by_title("Zoom In").first.click(),
}
NEXT = {
    "mirador": lambda page: page.get_by_label("Next item").first.click(),
    "universalviewer": lambda page: page.get_by_title("Next Image").first.click(),
}


class Viewers(Files):
    def do_GET(self):  # noqa: N802  # http.server names it
        name = self.path.removeprefix("/").removesuffix(".html")
        if name not in PAGES:
            super().do_GET()
            return
        content = PAGES[name].encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


@pytest.fixture(scope="module")
def elsewhere():
    """Another origin, with the viewers."""
    if not TOOLS.is_dir():
        reason = "the viewers are not there; run scripts/install-test-tools"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    with file_server(TOOLS, Viewers) as port:
        yield f"http://127.0.0.1:{port}"


@dataclass
class Seen:
    """What a page got from our server, and what went wrong."""

    kinds: list = field(default_factory=list)
    addresses: list = field(default_factory=list)
    faults: list = field(default_factory=list)


@pytest.fixture(scope="module")
def library(serve, tmp_path_factory, photo):
    """A server of a folder with a book, two of whose pages are in one file."""
    root = tmp_path_factory.mktemp("library")
    (root / "book").mkdir()
    for number in (1, 2):
        part = np.ascontiguousarray(photo[:, 10 * number :])
        pyvips.Image.new_from_array(part).pngsave(root / "book" / f"{number}.png")
    with tifffile.TiffWriter(root / "book" / "3.tif") as writer:
        for side in (250, 280):
            writer.write(photo[:side, :side], photometric="rgb", metadata=None)
    return serve(root, "--allowed-origin", "*")


@pytest.fixture
def opened(browser, server, elsewhere):
    """Open a manifest or a collection in a viewer; gives the page and what it sees."""
    context = browser.new_context(viewport={"width": 900, "height": 700})

    def open_manifest(viewer, identifier, document="manifest", server=server):
        page, seen = context.new_page(), Seen()

        def response(answer):
            if not answer.url.startswith(server.url):
                return
            if answer.status >= 400:
                seen.faults.append(f"{answer.status} {answer.url}")
            if kind := answer.headers.get("x-clearzoom-pixels"):
                seen.kinds.append(kind)
                seen.addresses.append(answer.url)

        def failed(request):
            # A viewer gives up tiles that are out of sight.
            if request.url.startswith(server.url) and request.failure != "net::ERR_ABORTED":
                seen.faults.append(f"{request.failure} {request.url}")

        def said(message):
            if message.type == "error" and (
                server.url in message.text
                or "CORS" in message.text
                or "Content Sec" in message.text
            ):
                seen.faults.append(message.text)

        page.on("response", response)
        page.on("requestfailed", failed)
        page.on("console", said)
        place = f"{quote(identifier, safe='')}/" if identifier else ""
        manifest = f"{server.url}/iiif/presentation/3/{place}{document}"
        page.goto(f"{elsewhere}/{viewer}.html#{quote(manifest, safe='')}")
        return page, seen

    yield open_manifest
    context.close()


def wait_for(page, what, seconds=60):
    for _ in range(seconds * 10):
        if what():
            return
        page.wait_for_timeout(100)
    raise AssertionError("that took too long")


def any_in(addresses, parts):
    return any(part in each for part in parts for each in addresses)


def variety(screenshot):
    """How many colours the middle of the viewer shows."""
    shot = pyvips.Image.new_from_buffer(screenshot, "").numpy()
    middle = shot[250:450, 350:550, :3].reshape(-1, 3).astype(np.uint32)
    return len(np.unique(middle @ np.array([65_536, 256, 1], np.uint32)))


@pytest.mark.parametrize("viewer", PAGES)
def test_a_viewer_shows_a_picture(opened, viewer):
    page, seen = opened(viewer, NESTED)
    wait_for(page, lambda: seen.kinds and variety(page.screenshot()) > 1000)
    assert set(seen.kinds) <= {"original", "reduced"}
    assert not seen.faults


@pytest.mark.parametrize("viewer", PAGES)
def test_a_viewer_zooms_into_inferred_pixels(opened, viewer):
    page, seen = opened(viewer, "tiled.tif~x4")
    wait_for(page, lambda: seen.kinds and variety(page.screenshot()) > 1000)
    assert "inferred" not in seen.kinds
    whole = page.screenshot()
    for _ in range(4):
        ZOOM_IN[viewer](page)
        page.wait_for_timeout(300)
    wait_for(page, lambda: "inferred" in seen.kinds)
    page.wait_for_load_state("networkidle")
    shown = page.screenshot()
    assert shown != whole
    assert variety(shown) > 200
    assert not seen.faults


@pytest.mark.parametrize("viewer", PAGES)
def test_a_viewer_turns_the_pages_of_a_book(opened, library, viewer):
    page, seen = opened(viewer, "book", server=library)
    wait_for(page, lambda: seen.kinds and variety(page.screenshot()) > 1000)
    for identifier in ("2.png", "3.tif~p1", "3.tif~p2"):
        seen.addresses.clear()
        NEXT[viewer](page)
        # Thumbnails of all pages are 400 px wide at most; the page itself comes in full size.
        places = [f"/iiif/3/book%2F{identifier}/{region}" for region in ("full/max/", "0,0,")]
        is_page = partial(any_in, seen.addresses, places)
        wait_for(page, is_page)
    assert not seen.faults


def test_mirador_lists_a_collection(opened, library):
    page, seen = opened("mirador", "", "collection", server=library)
    # On a busy machine its dialog is already there, and hides the button behind it from all roles.
    page.get_by_text("Show collection", exact=True).dispatch_event("click")
    page.get_by_role("menuitem", name="book").click()
    page.get_by_role("menuitem", name="3.tif").click()
    wait_for(page, lambda: seen.kinds and variety(page.screenshot()) > 1000)
    assert any("3.tif~p1" in each for each in seen.addresses)
    assert not seen.faults


def test_universal_viewer_opens_the_first_book_of_a_collection(opened, library):
    page, seen = opened("universalviewer", "book", "collection", server=library)
    wait_for(page, lambda: seen.kinds and variety(page.screenshot()) > 1000)
    assert not seen.faults
