"""How many tiles may be at work at once, so that the process keeps within its memory."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from clearzoom.engines.network import Network
from clearzoom.engines.tiled import TILES_IN_FLIGHT
from clearzoom.errors import SizeError
from clearzoom.pipeline.memory import give_back, resident_bytes, watched

# The allocators of engine and system keep pieces: what a process takes for one tile at a time and
# for two, in shares of the first tile, measured over hundreds of tiles.
_SHARES_OF_ONE, _SHARES_OF_TWO = 2.0, 3.5


@dataclass
class _Known:
    """Of a network: its largest tile so far, what that took, and what stays taken after it.

    ``refused``: a tile that was too large, which needs ``least_bytes``.
    """

    tile: int = 0
    refused: int | None = None
    least_bytes: float = 0
    share_bytes: int = 0
    kept_bytes: int = 0


class Budget:
    """The memory of the process, for all pictures, frames and networks of a job.

    The largest tile of each network is run alone first. What a process once took is no reason to
    refuse a later picture: only what it takes now, and will, counts.
    """

    def __init__(self, limit_bytes: int | None) -> None:
        self.limit_bytes = limit_bytes
        self._known: dict[tuple[str, int], _Known] = {}

    def wants_trial(self, network: Network, tile: int) -> bool:
        """Whether a tile must run alone first.

        Args:
            network: that will run.
            tile: its size: px times channels of its window.

        Raises:
            SizeError: no smaller tile than this was too large.
        """
        if self.limit_bytes is None:
            return False
        known = self._of(network)
        if known.refused is not None and tile >= known.refused:
            raise _too_little(known.least_bytes)
        return tile > known.tile

    @contextmanager
    def trial(self, network: Network, tile: int) -> Iterator[None]:
        """Learn from a tile that runs alone.

        Args:
            network: that runs.
            tile: its size.

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
        """Say how many tiles may be at work at once from here on."""
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
        f"one tile needs more memory than that; give --memory {megabytes(least_bytes)}MB or more"
    )


def megabytes(amount: float) -> int:
    """Round an amount of bytes up to ten MB, for people."""
    return int(-(-amount // 10_000_000) * 10)
