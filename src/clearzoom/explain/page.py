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
    """A figure with the stem of its file and a caption, which also describes it in words."""

    name: str
    caption: str
    figure: Figure


@dataclass(frozen=True)
class Page:
    """The page of one topic: ``parts`` are Markdown paragraphs and drawings, in order."""

    topic: str
    parts: tuple[str | Drawing, ...]

    @property
    def drawings(self) -> list[Drawing]:
        """The figures, in order."""
        return [part for part in self.parts if isinstance(part, Drawing)]

    def markdown(self) -> str:
        """Return the page as Markdown, with its heading and links to its neighbours."""
        english, chinese = TITLES[self.topic]
        texts = [f"# {english} · {chinese}", *map(_text, self.parts), _ways(self.topic)]
        return "\n\n".join(text.strip() for text in texts if text) + "\n"

    def write(self, folder: Path) -> list[Path]:
        """Write TOPIC.md, and PNG and SVG of each figure.

        Args:
            folder: is created; older files of these names are replaced.

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
    """Write a file whole or not at all, and create its folder.

    Args:
        path: the file to write.
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
    """Format a Markdown table with its first column left-aligned and the others right-aligned.

    Args:
        head: the names of the columns.
        rows: rows with a cell for each column.

    Example:
        >>> print(table(["network", "parameters"], [["slim", "642,050"]]))
        | network | parameters |
        | --- | ---: |
        | slim | 642,050 |
    """
    rule = ["---", *["---:"] * (len(head) - 1)]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (head, rule, *rows))
