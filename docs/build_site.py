"""Build the site of docs/ with Zensical: python docs/build_site.py [FOLDER], by default site/.

In the pages links are as they are in the repository, ``../configs/fast-x4.toml``; in the site each
such file has a page below ``outside/`` that shows it. A link or an anchor that leads nowhere is an
error.
"""

import os
import posixpath
import re
import shutil
import subprocess
import sys
import tomllib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory
from typing import Any

from site_links import broken_links

ROOT = Path(__file__).parent.parent
CONFIG = "zensical.toml"
PAGES = (
    "README.zh-TW.md",
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "SECURITY.md",
    "THIRD_PARTY_NOTICES.md",
)
"""Files outside of docs/ that the navigation names."""

_LINK = re.compile(r"(\]\()([^)\s:#]+)((?:#[^)\s]*)?\))")
_LANGUAGES = {".lua": "lua", ".py": "python", ".toml": "toml", ".json": "json", ".ipynb": "json"}
_LARGEST_BYTES = 100_000


def write_sources(folder: Path) -> None:
    """Write the pages of docs/, and of the files outside of it that they link to.

    Args:
        folder: a new folder.
    """
    shutil.copytree(ROOT / "docs", folder, ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    inside = [page.relative_to(folder).as_posix() for page in folder.rglob("*.md")]
    waiting = [(name, (folder / name).read_text("utf-8"), name) for name in inside]
    known = set(PAGES)
    waiting += [(f"../{name}", _shown(name), _page_of(name)) for name in PAGES]
    while waiting:
        place, text, target = waiting.pop()
        (folder / target).parent.mkdir(parents=True, exist_ok=True)
        (folder / target).write_text(_turned(text, place, target), "utf-8")
        if not place.endswith(".md"):
            continue
        for link in _LINK.finditer(text):
            name = _outside(place, link[2])
            if name is not None and name not in known:
                known.add(name)
                waiting.append((f"../{name}", _shown(name), _page_of(name)))


def _turned(text: str, place: str, target: str) -> str:
    """Turn links to files outside of docs/ to their pages.

    Args:
        text: of a page.
        place: of the page in the repository, from docs/.
        target: of the page in the site.
    """
    if not place.endswith(".md"):
        return text

    def turned(link: re.Match[str]) -> str:
        leads_to = _target(place, link[2])
        if leads_to is None:
            return link[0]
        folder = posixpath.dirname(target) or "."
        return f"{link[1]}{posixpath.relpath(leads_to, folder)}{link[3]}"

    return _LINK.sub(turned, text)


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


def _shown(name: str) -> str:
    """Give the text of the page that shows a file or a folder."""
    path = ROOT / name
    if path.is_dir():
        listed = sorted(each.name for each in path.iterdir() if not each.name.startswith("_"))
        return f"# {name}\n\n" + "\n".join(f"- `{each}`" for each in listed)
    if path.suffix == ".md":
        return path.read_text("utf-8")
    if path.stat().st_size > _LARGEST_BYTES or path.suffix not in _LANGUAGES | {"": ""}:
        return f"# {PurePosixPath(name).name}\n\n`{name}`, {path.stat().st_size:,} bytes."
    language = _LANGUAGES.get(path.suffix, "text")
    return f"# {name}\n\n````{language}\n{path.read_text('utf-8')}\n````\n"


def navigation_faults(sources: Path) -> list[str]:
    """Compare the navigation with the pages: it names those of docs/, each once, and no others.

    Args:
        sources: what ``write_sources`` wrote.
    """
    named = Counter(_named(tomllib.loads((ROOT / CONFIG).read_text("utf-8"))["project"]["nav"]))
    pages = {page.relative_to(ROOT / "docs").as_posix() for page in (ROOT / "docs").rglob("*.md")}
    faults = [f"{name} is not in the navigation" for name in pages - named.keys()]
    faults += [f"the navigation names {name} twice" for name in named if named[name] > 1]
    return sorted(
        faults
        + [
            f"the navigation names {name}, no page"
            for name in named
            if not (sources / name).is_file()
        ]
    )


def _named(entries: list[Any]) -> Iterator[str]:
    for entry in entries:
        for value in entry.values() if isinstance(entry, dict) else [entry]:
            yield from _named(value) if isinstance(value, list) else [value]


def main(target: Path) -> None:
    """Build the site, whole or not at all.

    Args:
        target: its folder, which is replaced.
    """
    with TemporaryDirectory(prefix="clearzoom-site-") as name:
        project = Path(name)
        write_sources(project / "docs")
        faults = navigation_faults(project / "docs")
        if faults:
            raise SystemExit("\n".join(faults))
        shutil.copy(ROOT / CONFIG, project)
        program = [sys.executable, "-m", "zensical", "build", "--strict", "--config-file", CONFIG]
        # The reference is made of these sources.
        paths = [str(ROOT / "src"), *filter(None, [os.environ.get("PYTHONPATH")])]
        variables = os.environ | {"PYTHONPATH": os.pathsep.join(paths)}
        done = subprocess.run(program, cwd=project, env=variables, check=False)
        if done.returncode:
            raise SystemExit("the site was not built")
        broken = broken_links(project / "site")
        if broken:
            raise SystemExit("\n".join(["these links lead nowhere:", *broken]))
        if target.exists():
            shutil.rmtree(target)
        shutil.move(project / "site", target)


if __name__ == "__main__":
    main(Path(*sys.argv[1:2]) if sys.argv[1:] else ROOT / "site")
