"""Composite an animation: its patches are drawn on a canvas one after the other.

GIF and APNG store only the changing parts. Each patch states its position, how it is blended, and
what happens to its area before the next patch (the disposal).
"""

from dataclasses import dataclass
from enum import Enum

import numpy as np

from clearzoom.core.arrays import Levels

_ROWS_AT_ONCE = 64


class Disposal(Enum):
    """What happens to the area of a patch before the next patch is drawn."""

    KEEP = "keep"
    CLEAR = "clear"
    """It becomes transparent. GIF specifies a background colour, but browsers ignore it."""
    RESTORE = "restore"
    """It becomes as it was before the patch."""


@dataclass(frozen=True)
class Patch:
    """A rectangle of a frame: ``pixels`` is (H, W, 4) uint8 with straight alpha.

    With ``over`` it is composited over the canvas, otherwise it replaces the canvas there.
    """

    pixels: Levels
    left: int
    top: int
    disposal: Disposal
    over: bool
    duration_ms: float


class Canvas:
    """The canvas of an animation, which is transparent at first.

    Args:
        width_px: its width.
        height_px: its height.
    """

    def __init__(self, width_px: int, height_px: int) -> None:
        self._pixels: Levels = np.zeros((height_px, width_px, 4), np.uint8)
        self._place: Levels | None = None
        self._then: Levels | int = 0

    def draw(self, patch: Patch) -> Levels:
        """Draw the next patch.

        Args:
            patch: the patch; what reaches beyond the canvas is ignored.

        Returns:
            (H, W, 4) uint8: the canvas itself, which the next patch changes.
        """
        if self._place is not None:
            self._place[:] = self._then
        height, width = self._pixels.shape[:2]
        tall, wide = patch.pixels.shape[:2]
        bottom, right = min(height, patch.top + tall), min(width, patch.left + wide)
        place = self._pixels[patch.top : bottom, patch.left : right]
        self._place = None if patch.disposal is Disposal.KEEP else place
        self._then = place.copy() if patch.disposal is Disposal.RESTORE else 0
        inside = patch.pixels[: place.shape[0], : place.shape[1]]
        if patch.over:
            lay_over(place, inside)
        else:
            place[:] = inside
        return self._pixels


def lay_over(below: Levels, above: Levels) -> None:
    """Composite px over others in place.

    Args:
        below: (H, W, 4) uint8 with straight alpha; it is changed.
        above: (H, W, 4) uint8 with straight alpha.

    References:
        PNG, third edition, 12.1 (alpha compositing); without linearising, as in browsers.

    Example:
        >>> below = np.array([[[200, 0, 0, 255]]], np.uint8)
        >>> lay_over(below, np.array([[[100, 200, 0, 128]]], np.uint8))
        >>> below[0, 0].tolist()
        [150, 100, 0, 255]
    """
    for top in range(0, len(below), _ROWS_AT_ONCE):  # float64 needs eight times the memory.
        rows = slice(top, top + _ROWS_AT_ONCE)
        _lay_rows(below[rows], above[rows])


def _lay_rows(below: Levels, above: Levels) -> None:
    opaque = above[..., 3] == 255
    below[opaque] = above[opaque]
    mixed = (above[..., 3] > 0) & ~opaque
    if not mixed.any():
        return
    new, old = above[mixed].astype(np.float64), below[mixed].astype(np.float64)
    share = new[:, 3:] * 255
    rest = (255 - new[:, 3:]) * old[:, 3:]
    colour = (new[:, :3] * share + old[:, :3] * rest) / (share + rest)
    below[mixed] = np.rint(np.concatenate([colour, (share + rest) / 255], axis=1))
