"""The site is built strictly, and asks nothing of anybody."""

import re
import shutil
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from helpers.file_server import file_server
from helpers.scripts import script
from playwright.sync_api import sync_playwright

pytestmark = pytest.mark.docs

ROOT = Path(__file__).parent.parent.parent
broken_links = script("docs/site_links.py").broken_links
_FETCHED = {("script", "src"), ("img", "src"), ("iframe", "src"), ("source", "src")}
_FETCHED_RELS = {"stylesheet", "icon", "preload", "preconnect", "dns-prefetch", "manifest"}


def build(target, root=ROOT):
    program = [sys.executable, root / "docs" / "build_site.py", target]
    return subprocess.run(program, cwd=root, capture_output=True, text=True)


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
            page.get_by_role("button", name="Search").click()
            page.get_by_placeholder("Search").press_sequentially("consistency")
            page.get_by_text(re.compile(r"^\d+ results$")).wait_for()
            browser.close()
    assert len(asked) > 10
    assert [address for address in asked if not address.startswith((base, "data:", "blob:"))] == []


@pytest.fixture
def copy(tmp_path):
    root = tmp_path / "copy"
    ignored = shutil.ignore_patterns(".git", ".venv", ".tools", "dist", "*.onnx", "runs")
    shutil.copytree(ROOT, root, ignore=ignored, symlinks=True)
    return root


def test_broken_links_break_the_build(copy, tmp_path):
    with (copy / "docs" / "limits.md").open("a") as page:
        page.write("[x](no-such-page.md) [x](scores.md#no-such-anchor)")
    done = build(tmp_path / "site", copy)
    assert done.returncode == 1
    told = re.sub(r"\x1b\[[0-9;]*m", "", done.stdout + done.stderr)
    assert re.findall(r"Warning: (.*)\n.*limits\.md", told) == [
        "page does not exist",
        "anchor does not exist",
    ]
    assert not (tmp_path / "site").exists()


def test_a_page_that_the_navigation_leaves_out_breaks_the_build(copy, tmp_path):
    (copy / "docs" / "new.md").write_text("# New")
    (copy / "docs" / "goals.md").unlink()
    done = build(tmp_path / "site", copy)
    assert done.returncode == 1
    assert done.stderr.splitlines() == [
        "new.md is not in the navigation",
        "the navigation names goals.md, no page",
    ]


def test_what_leads_nowhere_in_html_is_found(tmp_path):
    """Images, scripts and links that are not written in Markdown, too."""
    (tmp_path / "folder").mkdir()
    (tmp_path / "index.html").write_text("""
        <h1 id="here">x</h1> <a href="#here">x</a> <a href="#there">x</a> <a href="folder">x</a>
        <a href="folder/page.html#some%20where">x</a> <a href="folder/page.html#nowhere">x</a>
        <a href="https://example.org/none">x</a> <a href="/absolute.html">x</a>
        <a href="../out">x</a> <img src="none.png"> <script src="there.js"></script>
        <link href="none.css" rel="stylesheet">
    """)
    (tmp_path / "there.js").touch()
    (tmp_path / "folder" / "page.html").write_text('<p id="some where">x</p>')
    found = [each.removeprefix("index.html: ") for each in broken_links(tmp_path)]
    broken = [
        "#there",
        "../out",
        "/absolute.html",
        "folder",
        "folder/page.html#nowhere",
        "none.css",
    ]
    assert found == [*broken, "none.png"]
