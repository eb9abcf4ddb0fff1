"""Detect other programs that use the cores of a training run."""

import os
import time
from dataclasses import dataclass
from pathlib import Path

_PROC = Path("/proc")
_TAKEN_SHARE = 0.1
"""Others that use at least this share of the cores are reported; a desktop uses less."""


@dataclass(frozen=True)
class Cores:
    """CPU time on the cores of this process, in seconds since the machine's start.

    ``wall_s`` is the time of the clock. ``busy_s`` is the CPU time of all programs on the cores
    that this process may use, with that of a virtual machine's host. ``own_s`` is the CPU time of
    this process and of those that it started. ``count`` is the number of cores.
    """

    wall_s: float
    busy_s: float
    own_s: float
    count: int


def others(before: Cores, after: Cores) -> float:
    """Compute how many cores other programs used between two measurements.

    Args:
        before: the first.
        after: the second, of the same process.

    Example:
        >>> others(Cores(0, 0, 0, 2), Cores(10, 20, 9, 2))
        1.1
    """
    busy_s, own_s = after.busy_s - before.busy_s, after.own_s - before.own_s
    return max(0.0, busy_s - own_s) / max(after.wall_s - before.wall_s, 1e-9)


class Warner:
    """Warns once when other programs use the cores, and again when they start anew."""

    def __init__(self) -> None:
        self._before: Cores | None = None
        self._is_taken = False

    def words(self, now: Cores | None) -> str | None:
        """Compare the counters with those of the last call.

        Args:
            now: the counters; None if the system has none.

        Returns:
            A warning to print, or None.
        """
        before, self._before = self._before, now
        if before is None or now is None:
            return None
        taken = others(before, now)
        was_taken, self._is_taken = self._is_taken, taken >= _TAKEN_SHARE * now.count
        if was_taken or not self._is_taken:
            return None
        return (
            f"other programs take {taken:.1f} of {now.count} "
            f"core{'s' if now.count > 1 else ''}; training is slower"
        )


def cores_now() -> Cores | None:
    """Read the system's counters; None outside Linux."""
    try:
        usable = {f"cpu{number}" for number in os.sched_getaffinity(0)}
        rows = [line.split() for line in (_PROC / "stat").read_text().splitlines()]
        ticks_s = 1 / os.sysconf("SC_CLK_TCK")
        # user, nice, system, idle, waiting, interrupts twice, stolen by the host
        busy = [sum(map(int, (*row[1:4], *row[6:9]))) for row in rows if row[0] in usable]
        own_s = _ticks_of_tree(os.getpid()) * ticks_s
    except (AttributeError, OSError, ValueError):
        return None
    return Cores(time.monotonic(), sum(busy) * ticks_s, own_s, len(busy)) if busy else None


def _ticks_of_tree(root: int) -> int:
    """Add up user and system ticks of a process and its descendants, ended ones included."""
    ticks: dict[int, int] = {}
    children: dict[int, list[int]] = {}
    for stat in _PROC.glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:  # it has ended meanwhile
            continue
        number = int(stat.parent.name)
        children.setdefault(int(fields[1]), []).append(number)
        ticks[number] = sum(map(int, fields[11:15]))
    total, waiting = 0, [root]
    while waiting:
        number = waiting.pop()
        total += ticks.get(number, 0)
        waiting += children.get(number, [])
    return total
