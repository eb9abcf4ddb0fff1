"""Which links of a built site lead nowhere: to no file of it, or to no anchor of a page."""

from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

_LINKS = {("a", "href"), ("img", "src"), ("script", "src"), ("link", "href"), ("source", "src")}


class _Page(HTMLParser):
    """The links of a page, and its anchors."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.links: set[str] = set()
        self.anchors = {""}
        self.feed(path.read_text("utf-8"))

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        for name, value in attributes:
            if value and name in ("id", "name"):
                self.anchors.add(value)
            if value and (tag, name) in _LINKS:
                self.links.add(value)


def broken_links(site: Path) -> list[str]:
    """List the links that lead nowhere, with their pages.

    Links to other hosts are not followed. Those of the page for missing pages start at the address
    of the site, which nobody knows here, and are left out.

    Args:
        site: the folder of the site.
    """
    site = site.resolve()
    pages = {path: _Page(path) for path in site.rglob("*.html") if path.name != "404.html"}
    broken = []
    for path, page in pages.items():
        for address in page.links:
            parts = urlsplit(address)
            if parts.scheme or parts.netloc:
                continue
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            target = target / "index.html" if target.is_dir() else target
            found = target in pages or target.is_file()
            if found and target in pages:
                found = unquote(parts.fragment) in pages[target].anchors
            if not found or not target.is_relative_to(site):
                broken.append(f"{path.relative_to(site)}: {address}")
    return sorted(broken)
