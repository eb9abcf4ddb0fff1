"""Draw the rooms and write docs/architecture.md: python docs/make_architecture.py."""

import ast
import re
from collections.abc import Iterator
from html import escape
from pathlib import Path

DOCS = Path(__file__).parent
SOURCE = DOCS.parent / "src" / "clearzoom"
TARGET = DOCS / "architecture.md"
PICTURE = DOCS / "images" / "architecture.svg"

WAYS = {
    "One picture": [
        "cli.enlarge",
        "pipeline.job",
        "io.reading",
        "core.plan",
        "pipeline.run",
        "pipeline.networks",
        "engines.network",
        "pipeline.stages",
        "engines.tiled",
        "engines.tile",
        "pipeline.finish",
        "io.writing",
    ],
    "One folder": [
        "cli.enlarge",
        "batch.batch",
        "batch.tree",
        "batch.worker",
        "batch.task",
        "pipeline.job",
        "pipeline.run",
        "batch.report",
    ],
    "One tile": [
        "server.iiif.image_routes",
        "server.iiif.image_request",
        "server.iiif.responses",
        "server.tiles.service",
        "server.tiles.views",
        "server.tiles.cache",
        "server.tiles.render",
        "server.tiles.inferred",
        "engines.region",
        "engines.chain",
        "engines.tile",
    ],
    "One training step": [
        "cli.train",
        "train.run",
        "train.recipe",
        "train.data.resident",
        "models.registry",
        "train.objective",
        "losses.perceptual",
        "train.learning_rate",
        "train.optimiser",
    ],
}
"""The modules that each way enters, in this order. Each is imported by one before it."""

COLOURS = ("#0072b2", "#009e73", "#d55e00", "#aa3377")
GROUND = {"extras", "errors", "quiet", "version", "checked"}
"""Modules below all rooms; they are drawn as one."""

_ROW_PX, _LEFT_PX, _ROOMS_PX, _STEP_PX, _GAP_PX, _TOP_PX, _LINE_PX = 48, 16, 330, 21, 22, 48, 17

HEAD = """# Architecture

Made by `python docs/make_architecture.py` from the imports of the sources; a test fails when it is
stale.

A room is a folder of `src/clearzoom`; the five modules of the ground floor are drawn as one. It
imports only from the floors below it, which a test checks (`tests/test_layers.py`). The lines show
the main modules that a piece of work enters, in order; each is imported by one before it.

![Rooms as floors, and the ways of a picture, a folder, a tile, a step](images/architecture.svg)
"""

TAIL = """
## Where is …?

| | |
| --- | --- |
| a file's pixels are read | `io/reading.py`; the frames of a GIF in `io/animation/gif_frames.py` |
| metadata are read | `io/metadata/blocks.py`; embedded in a result in `io/metadata/embed.py` |
| a colour profile is applied and kept | `io/loading.py`, `io/writing.py` |
| a picture is cut into tiles | `core/grid.py` |
| memory is limited | `pipeline/memory_budget.py` |
| a network is defined | `models/`, one file each; its name in `models/registry.py` |
| parameters and MACC are counted | `models/count.py` |
| a network that others made is measured | `probe/measure.py` |
| a network runs on a tile | `engines/tile.py`; which tiles, in `engines/chain.py` |
| a size is understood | `core/targets.py`; the networks for it are chosen in `core/plan.py` |
| options are defined once, for command and API | `pipeline/request.py` |
| a folder's report is written | `batch/report.py`; its rows until then, in `batch/journal.py` |
| a Ray worker writes its result | `batch/worker.py` |
| a tile is cached | `server/tiles/cache.py` |
| a job of the API runs | `server/jobs/runner.py` |
| a score is computed | `metrics/`, by the protocol in `metrics/protocol.py` |
| the page's menu of models is filled | `server/page/models.js` |
| an unknown key of a configuration is refused | `train/config.py` |
| the learning rate is set | `train/learning_rate.py` |
| an error's code comes from | `errors.py` |

The [glossary](glossary.md) explains our own words.
"""


def modules() -> dict[str, set[str]]:
    """List, for each module, the modules of clearzoom that it imports."""
    found = {}
    for path in sorted(SOURCE.rglob("*.py")):
        name = ".".join(path.relative_to(SOURCE).with_suffix("").parts).removesuffix(".__init__")
        found[name] = set(_imports(path))
    return {name: {each for each in names if each in found} for name, names in found.items()}


def _imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        names = []
        if isinstance(node, ast.ImportFrom) and node.module:
            names = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
        elif isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        yield from (n.removeprefix("clearzoom.") for n in names if n.startswith("clearzoom."))


def room(module: str) -> str:
    """Name the room of a module."""
    first = module.partition(".")[0]
    return "errors" if first in GROUND else first


def floors(imports: dict[str, set[str]]) -> list[list[str]]:
    """List the rooms by floor, the lowest first: a room lies above all that it imports."""
    below: dict[str, set[str]] = {}
    for name, names in imports.items():
        if name not in ("__init__", "__main__"):
            below.setdefault(room(name), set()).update(map(room, names))
    height: dict[str, int] = {}
    while len(height) < len(below):
        free = [
            each for each in below if each not in height and below[each] - {each} <= height.keys()
        ]
        if not free:
            raise ValueError(f"these rooms import each other: {sorted(below.keys() - height)}")
        for each in free:
            height[each] = 1 + max((height[other] for other in below[each] - {each}), default=-1)
    return [
        sorted(each for each in height if height[each] == floor)
        for floor in range(max(height.values()) + 1)
    ]


def check_ways(imports: dict[str, set[str]]) -> None:
    """Refuse a way that the imports do not have.

    Raises:
        ValueError: a module is not there, or no module before it imports it.
    """
    for way, steps in WAYS.items():
        for number, step in enumerate(steps):
            if step not in imports:
                raise ValueError(f"{way}: there is no module {step}")
            before = set().union(*(imports[each] for each in steps[:number])) if number else {step}
            if step not in before:
                raise ValueError(f"{way}: nothing before {step} imports it")


def check_places() -> None:
    """Refuse an answer to "where is" that names what is not there.

    Raises:
        ValueError: no such file or folder.
    """
    for place in re.findall(r"`([\w/]+(?:/|\.py|\.js))`", TAIL):
        if not (SOURCE / place).exists():
            raise ValueError(f"there is no {place}")


def sentence(module: str) -> str:
    """Return the first sentence of a module's docstring."""
    path = SOURCE.joinpath(*module.split("."))
    path = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
    text = ast.get_docstring(ast.parse(path.read_text("utf-8"))) or ""
    return " ".join(text.partition("\n\n")[0].replace("``", "`").split())


def picture(imports: dict[str, set[str]]) -> str:
    """Draw the floors, the rooms, and the ways through them as SVG."""
    rows = floors(imports)
    place = {each: row for row, rooms in enumerate(rows) for each in rooms}
    foot = _TOP_PX + len(rows) * _ROW_PX + 24
    height = foot + max(map(len, WAYS.values())) * _LINE_PX
    starts, x = [], _LEFT_PX + _ROOMS_PX + _GAP_PX
    for steps in WAYS.values():
        starts.append(x)
        x += len(steps) * _STEP_PX + _GAP_PX
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {x} {height}" width="{x}" '
        f'height="{height}" font-family="DejaVu Sans, Verdana, Arial, sans-serif">',
        f'<rect width="{x}" height="{height}" fill="#ffffff"/>',
    ]

    def middle(row: int) -> float:
        return _TOP_PX + (len(rows) - 1 - row + 0.5) * _ROW_PX

    for row, rooms in enumerate(rows):
        top = middle(row) - _ROW_PX / 2 + 4
        parts.append(
            f'<rect x="{_LEFT_PX}" y="{top}" width="{x - 2 * _LEFT_PX}" height="{_ROW_PX - 8}" '
            'rx="6" fill="#f3f4f6"/>'
        )
        width = _ROOMS_PX / len(rooms)
        for number, each in enumerate(rooms):
            left = _LEFT_PX + number * width
            parts.append(
                f'<rect x="{left + 3}" y="{top + 3}" width="{width - 6}" height="{_ROW_PX - 14}" '
                'rx="5" fill="#ffffff" stroke="#9ca3af"/>'
            )
            count = sum(room(name) == each for name in imports)
            parts.append(_text(left + 10, top + 18, each, 14, "#111827", bold=True))
            parts.append(_text(left + 10, top + 32, _size(count), 11, "#4b5563"))
    for (way, steps), start, colour in zip(WAYS.items(), starts, COLOURS, strict=True):
        parts.append(_text(start, 30, way, 15, colour, bold=True))
        points = [
            (start + (number + 0.5) * _STEP_PX, middle(place[room(step)]))
            for number, step in enumerate(steps)
        ]
        line = " ".join(f"{left:.0f},{top:.0f}" for left, top in points)
        parts.append(f'<polyline points="{line}" fill="none" stroke="{colour}" stroke-width="2"/>')
        for number, (left, top) in enumerate(points, 1):
            parts.append(f'<circle cx="{left:.0f}" cy="{top:.0f}" r="9" fill="{colour}"/>')
            label = _text(left, top + 4, str(number), 11, "#ffffff", bold=True)
            parts.append(label.replace("<text", '<text text-anchor="middle"'))
            name = f"{number}  {steps[number - 1]}"
            parts.append(_text(start, foot + (number - 1) * _LINE_PX, name, 11, colour))
    return "\n".join([*parts, "</svg>"]) + "\n"


def _size(count: int) -> str:
    return "1 module" if count == 1 else f"{count} modules"


def _text(x: float, y: float, words: str, size: int, colour: str, *, bold: bool = False) -> str:
    weight = ' font-weight="bold"' if bold else ""
    return (
        f'<text x="{x:.0f}" y="{y:.0f}" font-size="{size}" fill="{colour}"{weight}>'
        f"{escape(words)}</text>"
    )


def page() -> str:
    """Return the page."""
    imports = modules()
    check_ways(imports)
    check_places()
    lines = [HEAD, "## The rooms, from the top", "", "| floor | room | |", "| --- | --- | --- |"]
    rows = floors(imports)
    for number in range(len(rows) - 1, -1, -1):
        for each in rows[number]:
            for name in sorted(GROUND) if each == "errors" else [each]:
                lines.append(f"| {number} | `{name}` | {sentence(name)} |")
    for way, steps in WAYS.items():
        lines += ["", f"## {way}", "", "| | module | |", "| --- | --- | --- |"]
        for number, step in enumerate(steps, 1):
            file = f"{step.replace('.', '/')}.py"
            link = f"[`{file}`](../src/clearzoom/{file})"
            lines.append(f"| {number} | {link} | {sentence(step)} |")
    return "\n".join(lines) + "\n" + TAIL


if __name__ == "__main__":
    TARGET.write_text(page(), "utf-8")
    PICTURE.write_text(picture(modules()), "utf-8")
