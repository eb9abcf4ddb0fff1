"""The site is built strictly, and asks nothing of anybody."""

import os
import re
import shutil
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from helpers.file_server import file_server
from playwright.sync_api import sync_playwright

pytestmark = pytest.mark.docs

ROOT = Path(__file__).parent.parent.parent
_FETCHED = {("script", "src"), ("img", "src"), ("iframe", "src"), ("source", "src")}
_FETCHED_RELS = {"stylesheet", "icon", "preload", "preconnect", "dns-prefetch", "manifest"}


def build(target, root=ROOT):
    program = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", target]
    variables = os.environ | {"NO_MKDOCS_2_WARNING": "1"}
    return subprocess.run(program, cwd=root, env=variables, capture_output=True, text=True)


@pytest.fixture(scope="session")
def site(tmp_path_factory):
    folder = tmp_path_factory.mktemp("site")
    done = build(folder)
    assert done.returncode == 0, done.stderr
    return folder


class Page(HTMLParser):
    """What a page fetches, what it links to, and its anchors."""

    def __init__(self, path):
        super().__init__()
        self.fetched, self.links, self.anchors = set(), set(), set()
        self.feed(path.read_text("utf-8"))

    def handle_starttag(self, tag, attributes):
        said = dict(attributes)
        self.anchors |= {said[name] for name in ("id", "name") if said.get(name)}
        self.fetched |= {said[name] for kind, name in _FETCHED if kind == tag and name in said}
        if tag == "link" and set((said.get("rel") or "").split()) & _FETCHED_RELS:
            self.fetched.add(said["href"])
        if tag == "a" and said.get("href"):
            self.links.add(said["href"])


@pytest.fixture(scope="session")
def pages(site):
    return {path: Page(path) for path in site.rglob("*.html")}


def test_every_page_is_there(site, pages):
    for source in (ROOT / "docs").rglob("*.md"):
        name = source.relative_to(ROOT / "docs").with_suffix(".html").as_posix()
        assert site / name.replace("README.html", "index.html") in pages
    assert not list(site.rglob("*.py"))


def test_nothing_is_fetched_from_elsewhere(site, pages):
    fetched = {(path, address) for path, page in pages.items() for address in page.fetched}
    assert len(fetched) > 100
    for path, address in fetched:
        parts = urlsplit(address)
        assert not parts.scheme or parts.scheme == "data", f"{path}: {address}"
        assert not parts.netloc
        if parts.path and path.name != "404.html":
            assert (path.parent / unquote(parts.path)).exists(), f"{path}: {address}"
    for sheet in site.rglob("*.css"):
        for address in re.findall(r"(?:url\(|@import )[\"']?([^\"')]+)", sheet.read_text("utf-8")):
            assert not urlsplit(address).netloc, f"{sheet}: {address}"


def test_every_link_leads_to_a_page_and_its_anchor(site, pages):
    for path, page in pages.items():
        for address in page.links:
            parts = urlsplit(address)
            if parts.scheme or parts.netloc or path.name == "404.html":
                continue
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            target = target / "index.html" if target.is_dir() else target
            assert target.exists(), f"{path.relative_to(site)}: {address}"
            if parts.fragment and target in pages:
                known = pages[target].anchors | {"", "__codelineno"}
                anchor = unquote(parts.fragment)
                assert anchor in known or anchor.startswith("__"), f"{path}: {address}"


def test_the_reference_has_the_public_names(site):
    import clearzoom

    text = (site / "python.html").read_text("utf-8")
    anchors = Page(site / "python.html").anchors
    for name in set(clearzoom.__all__) - {"__version__"}:
        assert any(anchor.split(".")[-1] == name for anchor in anchors), name
    assert "width_px" in text


@pytest.mark.browser
@pytest.mark.skipif(shutil.which("chromium") is None, reason="needs Chromium")
def test_a_browser_asks_this_host_alone(site):
    with file_server(site) as port:
        base = f"http://127.0.0.1:{port}"
        asked = []
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(
                executable_path=shutil.which("chromium"), args=["--no-sandbox"]
            )
            page = browser.new_page()
            page.on("request", lambda request: asked.append(request.url))
            page.route(lambda address: not address.startswith(base), lambda route: route.abort())
            for name in ("index", "scores", "how-to/print", "explain/table", "python"):
                page.goto(f"{base}/{name}.html")
            search = page.locator(".md-search__input")
            search.click()
            page.locator(".md-search-result__meta", has_text="Type to start searching").wait_for()
            search.press_sequentially("consistency")  # it listens to keys
            page.locator(".md-search-result__item").first.wait_for()
            browser.close()
    assert len(asked) > 10
    assert [address for address in asked if not address.startswith((base, "data:", "blob:"))] == []


def test_broken_links_break_the_build(tmp_path):
    root = tmp_path / "copy"
    ignored = shutil.ignore_patterns(".git", ".venv", ".tools", "dist", "*.onnx", "runs")
    shutil.copytree(ROOT, root, ignore=ignored, symlinks=True)
    with (root / "docs" / "limits.md").open("a") as page:
        page.write("[x](no-such-page.md) [x](scores.md#no-such-anchor)")
    done = build(tmp_path / "site", root)
    assert done.returncode != 0
    page, anchor = re.findall(r"^(?:WARNING|ERROR) .*", done.stderr, re.MULTILINE)
    assert "no-such-page.md" in page
    assert "no-such-anchor" in anchor
