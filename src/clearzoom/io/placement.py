"""The position of an input's px in its result, which is turned upright, enlarged and cropped."""

from dataclasses import dataclass, replace
from typing import Self

_SIDEWAYS = (5, 6, 7, 8)


@dataclass(frozen=True)
class Rectangle:
    """A rectangle from ``left``, ``top`` to ``right``, ``bottom``, in any unit."""

    left: float
    top: float
    right: float
    bottom: float

    @classmethod
    def around(cls, x: float, y: float, width: float, height: float) -> Self:
        """Make the rectangle with this middle and size."""
        return cls(x - width / 2, y - height / 2, x + width / 2, y + height / 2)

    @property
    def width(self) -> float:
        """Return the distance from left to right."""
        return self.right - self.left

    @property
    def height(self) -> float:
        """Return the distance from top to bottom."""
        return self.bottom - self.top

    @property
    def middle(self) -> tuple[float, float]:
        """Return x and y of the middle."""
        return (self.left + self.right) / 2, (self.top + self.bottom) / 2


def turned(x: float, y: float, orientation: int) -> tuple[float, float]:
    """Transform a point of a stored picture to the upright picture.

    Args:
        x: the fraction of the stored width.
        y: the fraction of the stored height.
        orientation: EXIF's orientation, 1 to 8.

    Returns:
        The fractions of the upright picture's width and height.
    """
    x, y = (y, x) if orientation in _SIDEWAYS else (x, y)
    return (
        1 - x if orientation in (2, 3, 6, 7) else x,
        1 - y if orientation in (3, 4, 7, 8) else y,
    )


@dataclass(frozen=True)
class Placement:
    """The transformation from the stored px of an input to a result; sizes are (width, height).

    ``upright_px`` is the input's size after EXIF's ``orientation`` was applied. ``resized_px`` is
    the size of the whole enlarged picture, from which ``result_px`` is cropped at ``cut_px``.
    """

    upright_px: tuple[int, int]
    orientation: int
    resized_px: tuple[int, int]
    cut_px: tuple[int, int]
    result_px: tuple[int, int]

    @property
    def stored_px(self) -> tuple[int, int]:
        """Return the size of the input as it is stored."""
        width, height = self.upright_px
        return (height, width) if self.is_sideways else (width, height)

    @property
    def is_sideways(self) -> bool:
        """Tell whether the orientation exchanges width and height."""
        return self.orientation in _SIDEWAYS

    @property
    def is_turned(self) -> bool:
        """Tell whether the input was turned or mirrored."""
        return self.orientation != 1

    @property
    def is_cut(self) -> bool:
        """Tell whether the result is cropped."""
        return self.result_px != self.resized_px

    @property
    def times(self) -> tuple[float, float]:
        """Return how many times wider and higher the upright picture became."""
        return (
            self.resized_px[0] / self.upright_px[0],
            self.resized_px[1] / self.upright_px[1],
        )

    def as_upright(self) -> "Placement":
        """Return the placement for points that refer to the upright picture already."""
        return replace(self, orientation=1)

    def share(self, x: float, y: float) -> tuple[float, float]:
        """Transform a point of the stored picture to the result.

        Args:
            x: the fraction of the stored width.
            y: the fraction of the stored height.

        Returns:
            The fractions of the result's width and height; below 0 or above 1 if cropped away.
        """
        x, y = turned(x, y, self.orientation)
        return (
            (x * self.resized_px[0] - self.cut_px[0]) / self.result_px[0],
            (y * self.resized_px[1] - self.cut_px[1]) / self.result_px[1],
        )

    def box_share(self, box: Rectangle) -> Rectangle | None:
        """Transform a box of the stored picture to the result, and clip it.

        Args:
            box: fractions of the stored picture.

        Returns:
            Fractions of the result, or None if the box is outside of it.
        """
        corners = [self.share(box.left, box.top), self.share(box.right, box.bottom)]
        (left, right), (top, bottom) = (sorted(each) for each in zip(*corners, strict=True))
        placed = Rectangle(max(0, left), max(0, top), min(1, right), min(1, bottom))
        # A line or a point may be on an edge; of any other box, more than an edge must be inside.
        thin, flat = right - left == 0, bottom - top == 0
        across = placed.width > 0 or (thin and placed.width == 0)
        down = placed.height > 0 or (flat and placed.height == 0)
        return placed if across and down else None
