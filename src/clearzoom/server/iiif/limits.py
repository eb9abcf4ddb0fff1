"""How large an answer may be: in px, and in what networks can infer in time."""

from dataclasses import dataclass, replace
from math import inf, sqrt

from clearzoom.core.box import Box

_ROUNDING = 1e-9


@dataclass(frozen=True)
class Limits:
    """The largest answer.

    Attributes:
        width: longest side, px.
        area: px in all.
        zoom: px of the answer for each px of the variant, along one side.
        steps: how many times wider chains of networks make a picture, each with the most px of the
            original that it enlarges in time; empty where no network runs.
    """

    width: int
    area: int
    zoom: float = inf
    steps: tuple[tuple[int, float], ...] = ()

    def of_part(self, box: Box, scale: int) -> "Limits":
        """Return the limits of one part, whose zoom ends where inferring would take too long.

        Args:
            box: the part, in px of the variant.
            scale: how many times wider than the original the variant is.
        """
        if not self.steps:
            return self
        source_px = box.width * box.height / scale**2
        times = max((times for times, most_px in self.steps if source_px <= most_px), default=1)
        return replace(self, zoom=min(self.zoom, times / scale))

    def area_at(self, scale: int) -> int:
        """Return the px of the largest answer that shows a variant px for px.

        Args:
            scale: how many times wider than the original the variant is.
        """
        most_px = max((most_px for times, most_px in self.steps if times >= scale), default=inf)
        return self.area if scale == 1 else max(1, int(min(self.area, most_px * scale**2)))

    def shrink(self, width: float, height: float) -> float:
        """Return the factor, at most 1, by which a size must be multiplied to keep the limits."""
        return min(1.0, self.room(width, height))

    def room(self, width: float, height: float) -> float:
        """Return the largest factor by which a size can be multiplied within the limits."""
        room = min(self.width / max(width, height), sqrt(self.area / (width * height)))
        return min(room, self.zoom)

    def hold(self, width: int, height: int) -> bool:
        """Return whether an answer's size keeps the limits."""
        return max(width, height) <= self.width and width * height <= self.area

    def allow(self, width: int, height: int, box: Box) -> bool:
        """Return whether a part may be enlarged to a size, before it is rotated."""
        return max(width / box.width, height / box.height) <= self.zoom + _ROUNDING
