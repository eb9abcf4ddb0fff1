"""Pixel shuffle: every intermediate array of the chapter, drawn on a tiny numbered example."""

from textwrap import fill

import numpy as np
import numpy.typing as npt
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from clearzoom.explain.figures import in_house_style, panels
from clearzoom.explain.page import Drawing, Page, table
from clearzoom.explain.shuffle_steps import pixel_shuffle_steps

_CHAPTER = (64, 128, 128)
_FACTOR = 2

STEPS = (
    ("the input", "(C·r², H, W)"),
    ("channels split into r×r", "(C, r, r, H, W)"),
    ("the small square of each pixel last", "(C, H, W, r, r)"),
    ("rows interleaved", "(C, H·r, W, r)"),
    ("columns interleaved: the result", "(C, H·r, W·r)"),
)
"""Each step with the shape of its result."""

_CODE = """```python
split = features.reshape(C, r, r, H, W)
squares = split.transpose(0, 3, 4, 1, 2)  # C, H, W, r, r
rows = squares.transpose(0, 1, 3, 2, 4).reshape(C, H * r, W, r)  # C, H, r, W, r
result = rows.reshape(C, H * r, W * r)
```"""

_TINTS = ("1.0", "0.82", "0.6", "0.25")
_GAP = 0.45

Cells = npt.NDArray[np.int64]


def numbered(channels: int, side: int) -> Cells:
    """Number the values of a tiny input: the tens are the channel, the units the pixel.

    Args:
        channels: at most 9.
        side: height and width; at most 3.

    Returns:
        (channels, side, side) int64.

    Example:
        >>> numbered(2, 2).tolist()
        [[[11, 12], [13, 14]], [[21, 22], [23, 24]]]
    """
    pixels = np.arange(1, side * side + 1).reshape(side, side)
    return 10 * np.arange(1, channels + 1)[:, None, None] + pixels


def agrees_with_torch(features: npt.NDArray[np.float32], factor: int) -> bool:
    """Return whether the last step equals ``torch.nn.PixelShuffle``, value for value.

    Args:
        features: (C * factor^2, H, W) float32.
        factor: the enlargement.
    """
    theirs = torch.nn.PixelShuffle(factor)(torch.from_numpy(features)[None])[0].numpy()
    return bool(np.array_equal(pixel_shuffle_steps(features, factor)[-1], theirs))


def explain() -> Page:
    """Make the page.

    Example:
        >>> "| (64, 128, 128) |" in explain().markdown()
        True
    """
    features = np.random.default_rng(0).random(_CHAPTER, dtype=np.float32)
    tiny = pixel_shuffle_steps(numbered(4, 2), _FACTOR)
    rows = [
        [f"{number}. {what}", form, str(large.shape), str(small.shape)]
        for number, ((what, form), large, small) in enumerate(
            zip(STEPS, pixel_shuffle_steps(features, _FACTOR), tiny, strict=True), 1
        )
    ]
    equal = "equal, value for value" if agrees_with_torch(features, _FACTOR) else "NOT EQUAL"
    return Page(
        "pixel-shuffle",
        (
            "A convolution makes r² channels for each channel of the larger picture; pixel shuffle "
            "lays them side by side as r × r pixels. Nothing is computed, values only move, so "
            "the network enlarges at its very end and works at the small size until then.",
            table(["step", "shape", "the chapter's", "the figure's"], rows),
            Drawing(
                "pixel-shuffle",
                "Four channels of 2 × 2 pixels become one of 4 × 4, r = 2. Tens: the channel, "
                "also its grey; units: the pixel.",
                _figure(tiny),
            ),
            "As numpy code, which is `clearzoom.explain.shuffle_steps.pixel_shuffle_steps`:\n\n"
            + _CODE,
            f"Checked when this page is made: the result and `torch.nn.PixelShuffle({_FACTOR})` on "
            f"random values of shape {_CHAPTER} are **{equal}**.",
            "Reference: Shi et al., arXiv:1609.05158, eq. 4.",
        ),
    )


@in_house_style
def _figure(steps: list[Cells]) -> Figure:
    figure, axes = panels(1, len(steps), 9.2, 3.7)
    # Each step as small arrays, with the place (row, column) of each among the others.
    features, split, squares, rows, result = (step.astype(np.int64) for step in steps)
    groups = (
        {(k, 0): features[k] for k in range(4)},
        {(i, j): split[0, i, j] for i in range(2) for j in range(2)},
        {(y, x): squares[0, y, x] for y in range(2) for x in range(2)},
        {(0, x): rows[0, :, x] for x in range(2)},
        {(0, 0): result[0]},
    )
    for number, (drawn, parts, step) in enumerate(zip(axes[0], groups, steps, strict=True)):
        height = width = 0.0
        for (row, column), cells in parts.items():
            left, top = column * (cells.shape[1] + _GAP), row * (cells.shape[0] + _GAP)
            _draw_cells(drawn, cells, left, top)
            height, width = max(height, top + cells.shape[0]), max(width, left + cells.shape[1])
        what, shape = STEPS[number][0].split(":")[0], ", ".join(map(str, step.shape))
        drawn.set_title(f"{number + 1}. {fill(what, 22)}\n({shape})", fontsize=8.5)
        drawn.set(xlim=(-0.1, 4.75), ylim=(9.45, -0.1), aspect="equal")
        drawn.set_axis_off()
    return figure


def _draw_cells(axes: Axes, cells: Cells, left: float, top: float) -> None:
    for (row, column), value in np.ndenumerate(cells):
        channel = int(value) // 10 - 1
        x, y = left + column, top + row
        axes.add_patch(
            Rectangle((x, y), 1, 1, facecolor=_TINTS[channel], edgecolor="0.1", linewidth=0.8)
        )
        ink = "1.0" if channel == len(_TINTS) - 1 else "0.0"
        axes.text(x + 0.5, y + 0.53, str(value), ha="center", va="center", color=ink, fontsize=8)
