"""Where the px of an input lie in its result: turned upright, enlarged, cut."""

from dataclasses import dataclass, replace
from typing import Self

_SIDEWAYS = (5, 6, 7, 8)


@dataclass(frozen=True)
class Box:
    """A rectangle from ``left``, ``top`` to ``right``, ``bottom``; the unit is the user's."""

    left: float
    top: float
    right: float
    bottom: float

    @classmethod
    def around(cls, x: float, y: float, width: float, height: float) -> Self:
        """Give the box of this middle and size."""
        return cls(x - width / 2, y - height / 2, x + width / 2, y + height / 2)

    @property
    def width(self) -> float:
        """From left to right."""
        return self.right - self.left

    @property
    def height(self) -> float:
        """From top to bottom."""
        return self.bottom - self.top

    @property
    def middle(self) -> tuple[float, float]:
        """X and y."""
        return (self.left + self.right) / 2, (self.top + self.bottom) / 2


def turned(x: float, y: float, orientation: int) -> tuple[float, float]:
    """Turn a place of a stored picture upright.

    Args:
        x: as a share of its width.
        y: as a share of its height.
        orientation: EXIF's, 1 to 8.

    Returns:
        Shares of the upright picture's width and height.
    """
    x, y = (y, x) if orientation in _SIDEWAYS else (x, y)
    return (
        1 - x if orientation in (2, 3, 6, 7) else x,
        1 - y if orientation in (3, 4, 7, 8) else y,
    )


@dataclass(frozen=True)
class Placement:
    """How the stored px of an input become those of a result; all sizes are (width, height), px.

    ``upright_px``: of the input, turned. ``orientation``: EXIF's number, which was applied.
    ``resized_px``: of the whole, enlarged; of it ``result_px`` are cut, beginning at ``cut_px``.
    """

    upright_px: tuple[int, int]
    orientation: int
    resized_px: tuple[int, int]
    cut_px: tuple[int, int]
    result_px: tuple[int, int]

    @property
    def stored_px(self) -> tuple[int, int]:
        """Of the input, as it lies in its file."""
        width, height = self.upright_px
        return (height, width) if self.is_sideways else (width, height)

    @property
    def is_sideways(self) -> bool:
        """Whether width and height are exchanged."""
        return self.orientation in _SIDEWAYS

    @property
    def is_turned(self) -> bool:
        """Whether the input was turned or mirrored."""
        return self.orientation != 1

    @property
    def is_cut(self) -> bool:
        """Whether the result is a part only."""
        return self.result_px != self.resized_px

    @property
    def times(self) -> tuple[float, float]:
        """How many times wider and higher the upright picture became."""
        return (
            self.resized_px[0] / self.upright_px[0],
            self.resized_px[1] / self.upright_px[1],
        )

    def as_upright(self) -> "Placement":
        """Give the same for places that count in the upright picture already."""
        return replace(self, orientation=1)

    def share(self, x: float, y: float) -> tuple[float, float]:
        """Find a place.

        Args:
            x: as a share of the stored width.
            y: as a share of the stored height.

        Returns:
            Shares of the result's width and height; below 0 or above 1 where it was cut off.
        """
        x, y = turned(x, y, self.orientation)
        return (
            (x * self.resized_px[0] - self.cut_px[0]) / self.result_px[0],
            (y * self.resized_px[1] - self.cut_px[1]) / self.result_px[1],
        )

    def box_share(self, box: Box) -> Box | None:
        """Find what is left of a box.

        Args:
            box: in shares of the stored picture.

        Returns:
            In shares of the result, cut at its edges; None where nothing is left.
        """
        corners = [self.share(box.left, box.top), self.share(box.right, box.bottom)]
        (left, right), (top, bottom) = (sorted(each) for each in zip(*corners, strict=True))
        placed = Box(max(0, left), max(0, top), min(1, right), min(1, bottom))
        # Lines and points are boxes too; of others more must be left than an edge.
        thin, flat = right - left == 0, bottom - top == 0
        across = placed.width > 0 or (thin and placed.width == 0)
        down = placed.height > 0 or (flat and placed.height == 0)
        return placed if across and down else None
