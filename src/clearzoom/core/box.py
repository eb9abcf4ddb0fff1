"""A rectangle of pixels: the one that pipelines, tiles and addresses share."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Box:
    """A part of a picture, in px from its upper left corner.

    Example:
        >>> Box(10, 20, 30, 40).right, Box(10, 20, 30, 40).bottom
        (40, 60)
    """

    left: int
    top: int
    width: int
    height: int

    @classmethod
    def between(cls, left: int, top: int, right: int, bottom: int) -> "Box":
        """Make a box from its four edges; ``right`` and ``bottom`` are the first px outside.

        Example:
            >>> Box.between(10, 20, 40, 60)
            Box(left=10, top=20, width=30, height=40)
        """
        return cls(left, top, right - left, bottom - top)

    @property
    def right(self) -> int:
        """The first column to the right of the box."""
        return self.left + self.width

    @property
    def bottom(self) -> int:
        """The first row below the box."""
        return self.top + self.height

    def is_on_grid(self, step_px: int) -> bool:
        """Return whether the upper left corner lies on a grid of so many px from the picture's."""
        return self.left % step_px == 0 and self.top % step_px == 0

    @property
    def slices(self) -> tuple[slice, slice]:
        """The box as an index of an array (H, W, C)."""
        return slice(self.top, self.bottom), slice(self.left, self.right)
