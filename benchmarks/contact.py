"""Contact sheets: where a picture has most detail, and how crops lie on a page. Nothing is scaled.

Pictures are (H, W, 3) uint8 RGB.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFont

from clearzoom.core.colour import luma_bt601

Pixels = npt.NDArray[np.uint8]

PAGE_PX = (2000, 2400)
"""Width and height of a page: one screen, so that nobody looks at it reduced."""

GAP_PX, LABEL_PX = 6, 18


@dataclass(frozen=True)
class Cell:
    """One crop and what stands under it."""

    label: str
    crop: Pixels


def _windows(values: npt.NDArray[np.float64], height: int, width: int) -> npt.NDArray[np.float64]:
    """Add up each window of so many rows and columns: (H - height + 1, W - width + 1)."""
    sums = np.pad(values, ((1, 0), (1, 0))).cumsum(0).cumsum(1)
    return (sums[height:, width:] - sums[:-height, width:] - sums[height:, :-width]) + sums[
        :-height, :-width
    ]


def busiest(picture: Pixels, side_px: int) -> tuple[int, int]:
    """Find the square of most detail.

    Detail is the deviation of luma within 5x5 px, as a root: one hard edge is worth less than
    texture all over the square.

    Args:
        picture: (H, W, 3) uint8.
        side_px: of the square, px of this picture.

    Returns:
        left and top of the square, which lies inside where the picture is large enough.
    """
    luma = luma_bt601(picture)
    near = min(5, *luma.shape)
    count = near * near
    mean = _windows(luma, near, near) / count
    variance = np.maximum(0, _windows(luma**2, near, near) / count - mean**2)
    height, width = (max(1, min(side_px, side) - near + 1) for side in luma.shape)
    detail = _windows(np.sqrt(variance), height, width)
    top, left = np.unravel_index(int(np.argmax(detail)), detail.shape)
    return int(left), int(top)


def inside(centre: tuple[int, int], size: tuple[int, int], side_px: int) -> tuple[int, int]:
    """Give left and top of the square around a place, moved into the picture.

    Args:
        centre: x and y, px.
        size: width and height of the picture.
        side_px: of the square.
    """
    left, top = (
        max(0, min(at - side_px // 2, whole - side_px))
        for at, whole in zip(centre, size, strict=True)
    )
    return left, top


def strip(title: str, cells: Sequence[Cell]) -> Image.Image:
    """Draw one picture's crops side by side, in as many rows as the page's width needs.

    Args:
        title: stands above.
        cells: at least one; the first one's crop gives the size of all.
    """
    height, width = cells[0].crop.shape[:2]
    columns = max(1, min(len(cells), (PAGE_PX[0] + GAP_PX) // (width + GAP_PX)))
    rows = -(-len(cells) // columns)
    step_x, step_y = width + GAP_PX, height + LABEL_PX + GAP_PX
    drawn = Image.new("RGB", (columns * step_x - GAP_PX, LABEL_PX + rows * step_y), "white")
    draw, font = ImageDraw.Draw(drawn), ImageFont.load_default(13)
    draw.text((2, 1), title, "black", font)
    for index, cell in enumerate(cells):
        left, top = index % columns * step_x, LABEL_PX + index // columns * step_y
        drawn.paste(Image.fromarray(np.ascontiguousarray(cell.crop)), (left, top))
        draw.text((left + 2, top + height + 1), cell.label, "black", font)
    return drawn


def pages(strips: Sequence[Image.Image]) -> Iterator[Image.Image]:
    """Stack strips on pages, none of which is wider or higher than PAGE_PX.

    Args:
        strips: in their order; one that is higher than a page has a page of its own.
    """
    held: list[Image.Image] = []
    for each in strips:
        if held and sum(other.height for other in held) + each.height > PAGE_PX[1]:
            yield _stacked(held)
            held = []
        held.append(each)
    if held:
        yield _stacked(held)


def _stacked(strips: Sequence[Image.Image]) -> Image.Image:
    size = (max(each.width for each in strips), sum(each.height for each in strips))
    page, top = Image.new("RGB", size, "white"), 0
    for each in strips:
        page.paste(each, (0, top))
        top += each.height
    return page
