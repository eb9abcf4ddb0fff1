"""A page: text and figures in reading order, as Markdown with PNG and SVG files beside it."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from matplotlib.figure import Figure

from clearzoom.errors import OutputError
from clearzoom.explain.chapter import PAGES, TITLES
from clearzoom.explain.figures import encoded
from clearzoom.io.atomic import whole_file


@dataclass(frozen=True)
class Drawing:
    """A figure with its file's stem and the words for those who cannot see it."""

    name: str
    caption: str
    figure: Figure


@dataclass(frozen=True)
class Page:
    """What is said on one topic: ``parts`` are Markdown paragraphs and drawings, in order."""

    topic: str
    parts: tuple[str | Drawing, ...]

    @property
    def drawings(self) -> list[Drawing]:
        """The figures, in order."""
        return [part for part in self.parts if isinstance(part, Drawing)]

    def markdown(self) -> str:
        """Write the page, with its heading and the way to the pages before and after it."""
        english, chinese = TITLES[self.topic]
        texts = [f"# {english} · {chinese}", *map(_text, self.parts), _ways(self.topic)]
        return "\n\n".join(text.strip() for text in texts if text) + "\n"

    def write(self, folder: Path) -> list[Path]:
        """Write TOPIC.md, and PNG and SVG of each figure.

        Args:
            folder: is made; older files of these names are replaced.

        Returns:
            The files, the page first.

        Raises:
            OutputError: the folder cannot be made or written.
        """
        files = {f"{self.topic}.md": self.markdown().encode()}
        for drawing in self.drawings:
            files[f"{drawing.name}.png"] = encoded(drawing.figure, "png")
            files[f"{drawing.name}.svg"] = encoded(drawing.figure, "svg")
        return [write_whole(folder / name, content) for name, content in files.items()]


def _text(part: str | Drawing) -> str:
    if isinstance(part, str):
        return part
    return f"[![{part.caption}]({part.name}.png)]({part.name}.svg)\n\n*{part.caption}*"


def _ways(topic: str) -> str:
    at = PAGES.index(topic)
    ways = ["[the chapter](README.md)"]
    if at > 0:
        ways.insert(0, f"← [{TITLES[PAGES[at - 1]][0]}]({PAGES[at - 1]}.md)")
    if at + 1 < len(PAGES):
        ways.append(f"[{TITLES[PAGES[at + 1]][0]}]({PAGES[at + 1]}.md) →")
    return "---\n\n" + " · ".join(ways)


def write_whole(path: Path, content: bytes) -> Path:
    """Write a file whole or not at all, and make its folder.

    Args:
        path: the file to be.
        content: its bytes.

    Raises:
        OutputError: it cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"cannot make the folder {path.parent}: {error.strerror}") from error
    with whole_file(path) as temporary:
        temporary.write_bytes(content)
    return path


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Write a Markdown table; all columns but the first are numbers, to the right.

    Args:
        head: a name a column.
        rows: a cell a column.

    Example:
        >>> print(table(["network", "parameters"], [["slim", "642,050"]]))
        | network | parameters |
        | --- | ---: |
        | slim | 642,050 |
    """
    rule = ["---", *["---:"] * (len(head) - 1)]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (head, rule, *rows))
