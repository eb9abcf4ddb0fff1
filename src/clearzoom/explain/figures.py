"""The style of all figures: readable in black and white, with the same bytes on every run."""

from collections.abc import Callable, Sequence
from functools import wraps
from io import BytesIO
from typing import Any, Literal, ParamSpec

import matplotlib
import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.image import AxesImage

P = ParamSpec("P")

_STYLE: Any = {
    "font.family": "DejaVu Sans",  # comes with matplotlib, so it is the same everywhere
    "font.size": 9,
    "axes.titlesize": 9,
    "axes.titlelocation": "left",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": "0.3",
    "axes.axisbelow": True,
    "grid.color": "0.88",
    "grid.linewidth": 0.6,
    "legend.frameon": False,
    "legend.fontsize": 9,
    "image.interpolation": "none",
    "hatch.linewidth": 0.6,
    "svg.hashsalt": "clearzoom",
    "savefig.dpi": 110,
}

LINES: tuple[dict[str, Any], ...] = (
    {"color": "0.0", "linestyle": "-", "linewidth": 1.3},
    {"color": "0.0", "linestyle": (0, (5, 2)), "linewidth": 1.3},
    {"color": "0.45", "linestyle": "-", "linewidth": 3.2, "zorder": 1},
    {"color": "0.0", "linestyle": (0, (1, 1.5)), "linewidth": 1.8},
    {"color": "0.0", "linestyle": (0, (6, 2, 1, 2)), "linewidth": 1.3},
)
"""A style for each curve, distinguishable without colour."""

FILLS: tuple[dict[str, Any], ...] = (
    {"facecolor": "0.15"},
    {"facecolor": "0.65"},
    {"facecolor": "1.0", "hatch": "////"},
    {"facecolor": "0.88"},
    {"facecolor": "1.0", "hatch": "\\\\\\\\"},
)
"""A fill for each part of a bar."""


def in_house_style(draw: Callable[P, Figure]) -> Callable[P, Figure]:
    """Decorate a function that draws a figure, so that the user's own style has no effect.

    Args:
        draw: a function that makes its figure with ``panels``.
    """

    @wraps(draw)
    def styled(*args: P.args, **kwargs: P.kwargs) -> Figure:
        with matplotlib.rc_context(_STYLE):
            return draw(*args, **kwargs)

    return styled


def panels(
    rows: int, columns: int, width_in: float, height_in: float
) -> tuple[Figure, list[list[Axes]]]:
    """Make a figure with a grid of axes.

    Args:
        rows: of axes.
        columns: of axes.
        width_in: width of the figure, inches.
        height_in: height of the figure, inches.

    Returns:
        The figure, and its axes by row and column.
    """
    figure = Figure(figsize=(width_in, height_in), layout="constrained")
    FigureCanvasAgg(figure)
    grid = figure.subplots(rows, columns, squeeze=False)
    return figure, [list(row) for row in grid]


def show_picture(axes: Axes, picture: npt.NDArray[np.uint8], title: str) -> None:
    """Draw a picture without axes.

    Args:
        axes: to draw in.
        picture: (H, W, 3) uint8 RGB.
        title: above it.
    """
    axes.imshow(picture)
    axes.set_title(title)
    axes.set_axis_off()


def show_map(axes: Axes, values: npt.NDArray[np.float64], title: str) -> AxesImage:
    """Draw a map of values in grey: 0 and below is black, 1 is white.

    Args:
        axes: to draw in.
        values: (H, W).
        title: above it.
    """
    drawn = axes.imshow(values, cmap="gray", vmin=0, vmax=1)
    axes.set_title(title)
    axes.set(xticks=[], yticks=[])
    axes.spines[:].set(visible=True, color="0.5", linewidth=0.5)  # a white map needs an edge
    return drawn


def show_bars(axes: Axes, names: Sequence[str], values: Sequence[float], form: str) -> None:
    """Draw a horizontal bar for each name, the first on top, with its value at the end.

    Args:
        axes: to draw in.
        names: of the bars.
        values: their lengths.
        form: format of the values, e.g. ".2f".
    """
    drawn = axes.barh(range(len(names)), values, color="0.7", edgecolor="0.2", height=0.66)
    axes.bar_label(drawn, [format(value, form) for value in values], padding=3, fontsize=8)
    axes.set_yticks(range(len(names)), names)
    axes.invert_yaxis()
    axes.tick_params(axis="y", length=0)
    low, high = axes.get_xlim()
    axes.set_xlim(low, low + 1.22 * (high - low))  # room for the values


def encoded(figure: Figure, kind: Literal["png", "svg"]) -> bytes:
    """Encode a figure without date and version, so that equal figures have equal bytes.

    Args:
        figure: a figure from ``panels``.
        kind: of the file.
    """
    target = BytesIO()
    without = {"Software": None} if kind == "png" else {"Date": None, "Creator": None}
    with matplotlib.rc_context(_STYLE):
        figure.savefig(target, format=kind, metadata=without, bbox_inches="tight", pad_inches=0.08)
    return target.getvalue()
