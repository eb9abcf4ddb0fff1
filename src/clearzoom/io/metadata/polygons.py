"""Clip a polygon at the edges of a picture (Sutherland and Hodgman, 1974)."""

from collections.abc import Sequence

Place = tuple[float, float]


def clipped(places: Sequence[Place]) -> list[Place]:
    """Clip a polygon to the square from 0 to 1.

    Args:
        places: x and y of each corner; fewer than three count as single points.

    Returns:
        The corners of the part inside; none if there is no such part.

    Example:
        >>> clipped([(0.5, 0.5), (1.5, 0.5), (1.5, 0.75), (0.5, 0.75)])
        [(0.5, 0.5), (1.0, 0.5), (1.0, 0.75), (0.5, 0.75)]
    """
    left = list(places)
    if all(0 <= x <= 1 and 0 <= y <= 1 for x, y in left):
        return left
    if len(left) < 3:
        return [(x, y) for x, y in left if 0 <= x <= 1 and 0 <= y <= 1]
    for axis in (0, 1):
        for edge, sign in ((0.0, 1), (1.0, -1)):
            left = _clipped_at(left, axis, edge, sign)
    return left


def _clipped_at(places: list[Place], axis: int, edge: float, sign: int) -> list[Place]:
    inside: list[Place] = []
    for index, place in enumerate(places):
        before = places[index - 1]
        depth, depth_before = (sign * (each[axis] - edge) for each in (place, before))
        if (depth >= 0) != (depth_before >= 0):
            part = depth_before / (depth_before - depth)
            x, y = (before[i] + part * (place[i] - before[i]) for i in (0, 1))
            inside.append((edge, y) if axis == 0 else (x, edge))
        if depth >= 0:
            inside.append(place)
    return inside
