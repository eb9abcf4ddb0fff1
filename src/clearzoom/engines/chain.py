"""A chain of networks on their canonical grids: which tiles a region needs, and what they read."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from clearzoom.core import alpha
from clearzoom.core.box import Box
from clearzoom.core.grid import BORDER_PX, Span, Tile, spans
from clearzoom.engines.network import Network


@dataclass(frozen=True)
class Stage:
    """One network of a chain, and the size of the picture that it enlarges.

    Tiles are numbered row by row.
    """

    network: Network
    height_px: int
    width_px: int

    @cached_property
    def rows(self) -> list[Span]:
        """The rows of the canonical grid."""
        return self._spans(self.height_px)

    @cached_property
    def columns(self) -> list[Span]:
        """The columns of the canonical grid."""
        return self._spans(self.width_px)

    @property
    def result(self) -> Box:
        """The whole result of the network."""
        scale = self.network.scale
        return Box(0, 0, self.width_px * scale, self.height_px * scale)

    def tile(self, index: int) -> Tile:
        """Return a tile by its number."""
        row, column = divmod(index, len(self.columns))
        return Tile(self.rows[row], self.columns[column])

    def core(self, index: int) -> Box:
        """Return the px of the result that a tile makes."""
        tile, scale = self.tile(index), self.network.scale
        return Box.between(
            tile.columns.core_start * scale,
            tile.rows.core_start * scale,
            tile.columns.core_stop * scale,
            tile.rows.core_stop * scale,
        )

    def tiles_in(self, box: Box) -> list[int]:
        """List the tiles whose cores meet a box of the result."""
        step = self.network.tile_px * self.network.scale
        return [
            row * len(self.columns) + column
            for row in range(box.top // step, min(len(self.rows), -(-box.bottom // step)))
            for column in range(box.left // step, min(len(self.columns), -(-box.right // step)))
        ]

    def window(self, tiles: Sequence[int]) -> Box:
        """Return the px of the input that tiles read, and those that fill colour under alpha."""
        rows = [self.tile(index).rows for index in tiles]
        columns = [self.tile(index).columns for index in tiles]
        return Box.between(
            max(0, min(span.start for span in columns) - alpha.REACH_PX),
            max(0, min(span.start for span in rows) - alpha.REACH_PX),
            min(self.width_px, max(span.stop for span in columns) + alpha.REACH_PX),
            min(self.height_px, max(span.stop for span in rows) + alpha.REACH_PX),
        )

    def _spans(self, length_px: int) -> list[Span]:
        return spans(length_px, self.network.tile_px, self.network.halo_px, BORDER_PX)


def stages_of(size_px: tuple[int, int], networks: Sequence[Network]) -> list[Stage]:
    """List the stages of a chain.

    Args:
        size_px: height and width of the picture that the first network enlarges.
        networks: the first enlarges the picture, the next its result, and so on.
    """
    (height, width), grown, stages = size_px, 1, []
    for network in networks:
        stages.append(Stage(network, height * grown, width * grown))
        grown *= network.scale
    return stages


def needed_tiles(stages: Sequence[Stage], box: Box | None) -> list[list[int]]:
    """List, for each stage, the tiles that a region needs.

    Args:
        stages: of a chain.
        box: a region of the last result; None for all of it.
    """
    needed: list[list[int]] = []
    for stage in reversed(stages):
        tiles = stage.tiles_in(stage.result if box is None else box)
        needed.insert(0, tiles)
        box = None if box is None else stage.window(tiles)
    return needed


def chain_identity(networks: Sequence[Network]) -> str:
    """Return the identities of a chain, in order, as one text for keys of caches."""
    return " ".join(network.identity for network in networks)


def chain_notes(networks: Sequence[Network]) -> tuple[str, ...]:
    """List what the user should know of a chain, each line once."""
    return tuple(dict.fromkeys(note for network in networks for note in network.notes))


def chain_text(networks: Sequence[Network]) -> str:
    """Return the names and scales of a chain, like ``photo x4 then photo x2``."""
    return " then ".join(f"{network.name} x{network.scale}" for network in networks)


def chain_sha256(networks: Sequence[Network]) -> str:
    """Return the hashes of a chain's weights, separated by blanks."""
    return " ".join(network.sha256 for network in networks)
