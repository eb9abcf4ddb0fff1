"""Decide how many tiles run at once, so that the process keeps within its memory."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from clearzoom.core.process_memory import give_back, resident_bytes, watched
from clearzoom.engines.network import Network
from clearzoom.engines.tiled import TILES_IN_FLIGHT
from clearzoom.errors import SizeError

# The allocators of the engine and the system keep memory. These are the peaks of a process
# that runs one tile at a time, and two, in shares of the first tile; hundreds of tiles were run.
_SHARES_OF_ONE, _SHARES_OF_TWO = 2.0, 3.5


@dataclass
class _Known:
    """What is known of a network's memory.

    Attributes:
        tile: the size of its largest tile so far.
        refused: the size of a tile that was too large.
        least_bytes: the least memory that the refused tile needs.
        share_bytes: what the largest tile took.
        kept_bytes: what stays allocated after it.
    """

    tile: int = 0
    refused: int | None = None
    least_bytes: float = 0
    share_bytes: int = 0
    kept_bytes: int = 0


class Budget:
    """The memory that a process may take for all pictures, frames and networks of a job.

    The largest tile of each network runs alone first. A later picture is not refused for a peak in
    the past: only the memory in use now, and the tile to come, count.
    """

    def __init__(self, limit_bytes: int | None) -> None:
        self.limit_bytes = limit_bytes
        self._known: dict[tuple[str, int], _Known] = {}

    def wants_trial(self, network: Network, tile: int) -> bool:
        """Return whether a tile must run alone first.

        Args:
            network: the network that will run.
            tile: the tile's size: px times channels of its window.

        Raises:
            SizeError: a tile of this size, or a smaller one, was too large before.
        """
        if self.limit_bytes is None:
            return False
        known = self._of(network)
        if known.refused is not None and tile >= known.refused:
            raise _too_little(known.least_bytes)
        return tile > known.tile

    @contextmanager
    def trial(self, network: Network, tile: int) -> Iterator[None]:
        """Measure a tile that runs alone.

        Args:
            network: the network that runs.
            tile: the tile's size.

        Raises:
            SizeError: the limit is too low for one tile at a time.
        """
        known = self._of(network)
        give_back()
        without = resident_bytes() - known.kept_bytes
        with watched() as seen:
            yield
        give_back()
        known.share_bytes = max(seen.most_bytes - without, 0)
        known.kept_bytes = max(resident_bytes() - without, 0)
        least = without + known.share_bytes * _SHARES_OF_ONE
        if self.limit_bytes is not None and least > self.limit_bytes:
            known.refused, known.least_bytes = tile, least
            raise _too_little(least)
        known.tile = tile

    def in_flight(self, network: Network) -> int:
        """Return how many tiles may run at once from now on."""
        if self.limit_bytes is None:
            return TILES_IN_FLIGHT
        give_back()
        known = self._of(network)
        need = resident_bytes() - known.kept_bytes + known.share_bytes * _SHARES_OF_TWO
        return TILES_IN_FLIGHT if need <= self.limit_bytes else 1

    def _of(self, network: Network) -> _Known:
        return self._known.setdefault((network.sha256, network.scale), _Known())


def _too_little(least_bytes: float) -> SizeError:
    return SizeError(
        "one tile needs more memory than that; give `memory_bytes` "
        f"{megabytes(least_bytes)}MB or more",
        setting="memory_bytes",
    )


def megabytes(amount: float) -> int:
    """Round an amount of bytes up to ten MB, for people."""
    return int(-(-amount // 10_000_000) * 10)
