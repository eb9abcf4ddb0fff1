"""Bring the repository's files that pages link to into the site, so that each link leads somewhere.

A hook of MkDocs. In the pages links are as they are in the repository, ``../configs/fast-x4.toml``;
in the site each such file has a page below ``outside/`` that shows it.
"""

import posixpath
import re
from pathlib import Path, PurePosixPath
from typing import Any

from mkdocs.structure.files import File, Files, InclusionLevel

ROOT = Path(__file__).parent.parent
PAGES = (
    "README.zh-TW.md",
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "SECURITY.md",
    "THIRD_PARTY_NOTICES.md",
)
"""Those that the navigation names."""

_LINK = re.compile(r"(\]\()([^)\s:#]+)((?:#[^)\s]*)?\))")
_LANGUAGES = {".lua": "lua", ".py": "python", ".toml": "toml", ".json": "json", ".ipynb": "json"}
_LARGEST_BYTES = 100_000


def on_files(files: Files, config: Any) -> Files:
    """Add a page for each file outside of docs/ that a page links to."""
    waiting = [(name, (ROOT / "docs" / name).read_text("utf-8")) for name in _markdown(files)]
    waiting += [(f"../{name}", "") for name in PAGES]
    known = set()
    for name in PAGES:
        known.add(name)
        waiting.append((f"../{name}", _add(files, config, name)))
    while waiting:
        page, text = waiting.pop()
        for link in _LINK.finditer(text):
            name = _outside(page, link[2])
            if name is not None and name not in known:
                known.add(name)
                added = _add(files, config, name)
                if name.endswith(".md"):
                    waiting.append((f"../{name}", added))
    return files


def on_page_markdown(markdown: str, page: Any, **_: Any) -> str:
    """Turn links to files outside of docs/ to their pages."""
    source = page.file.src_uri
    inside = source.removeprefix("outside/")
    place = f"../{inside}" if inside != source else source

    def turned(link: re.Match[str]) -> str:
        target = _target(place, link[2])
        if target is None:
            return link[0]
        return f"{link[1]}{posixpath.relpath(target, posixpath.dirname(source) or '.')}{link[3]}"

    return _LINK.sub(turned, markdown)


def _markdown(files: Files) -> list[str]:
    return [file.src_uri for file in files.documentation_pages()]


def _joined(page: str, link: str) -> str:
    return posixpath.normpath(posixpath.join(posixpath.dirname(page), link))


def _outside(page: str, link: str) -> str | None:
    """Give a link's file by its path in the repository, where it lies outside of docs/."""
    joined = _joined(page, link)
    if not joined.startswith("../"):
        return None
    name = joined.removeprefix("../")
    return None if name.startswith("docs/") or not (ROOT / name).exists() else name


def _target(page: str, link: str) -> str | None:
    """Give the place in the site of what a page links to, where it is another than in docs/."""
    name = _outside(page, link)
    if name is not None:
        return _page_of(name)
    joined = _joined(page, link)
    if not joined.startswith("../docs/"):
        return None
    inside = joined.removeprefix("../docs/")
    return f"{inside}/README.md" if (ROOT / "docs" / inside).is_dir() else inside


def _page_of(name: str) -> str:
    shown = name.removeprefix(".")
    return f"outside/{shown}" if shown.endswith(".md") else f"outside/{shown}.md"


def _add(files: Files, config: Any, name: str) -> str:
    path = ROOT / name
    if path.is_dir():
        listed = sorted(each.name for each in path.iterdir() if not each.name.startswith("_"))
        text = f"# {name}\n\n" + "\n".join(f"- `{each}`" for each in listed)
    elif path.suffix == ".md":
        text = path.read_text("utf-8")
    elif path.stat().st_size > _LARGEST_BYTES or path.suffix not in _LANGUAGES | {"": ""}:
        text = f"# {PurePosixPath(name).name}\n\n`{name}`, {path.stat().st_size:,} bytes."
    else:
        language = _LANGUAGES.get(path.suffix, "text")
        text = f"# {name}\n\n````{language}\n{path.read_text('utf-8')}\n````\n"
    file = File.generated(config, _page_of(name), content=text)
    file.inclusion = InclusionLevel.INCLUDED if name in PAGES else InclusionLevel.NOT_IN_NAV
    files.append(file)
    return text
