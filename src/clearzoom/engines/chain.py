"""A chain of networks on their canonical grids: which tiles a region needs, and what they read."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from clearzoom.core import alpha
from clearzoom.core.blending import Ramp
from clearzoom.core.box import Box
from clearzoom.core.grid import Span, Tile, spans
from clearzoom.core.wrap import ranges_of, wraps
from clearzoom.engines.network import Network


@dataclass(frozen=True)
class Stage:
    """One network of a chain, and the size of the picture that it enlarges.

    Tiles are numbered row by row.
    """

    network: Network
    height_px: int
    width_px: int

    @property
    def is_one_tile(self) -> bool:
        """Whether the network sees the whole picture at once."""
        return self.height_px * self.width_px <= self.network.whole_px

    @property
    def tile_px(self) -> int:
        """Side of a core in px of the input."""
        return max(self.height_px, self.width_px) if self.is_one_tile else self.network.tile_px

    @property
    def blend_px(self) -> int:
        """How far the window of a tile goes on into the next core, where both are blended."""
        return 0 if self.is_one_tile else self.network.blend_px

    @cached_property
    def rows(self) -> list[Span]:
        """The rows of the canonical grid."""
        return self._spans(self.height_px, wraps=wraps(self.network.wrap, "y"))

    @cached_property
    def columns(self) -> list[Span]:
        """The columns of the canonical grid."""
        return self._spans(self.width_px, wraps=wraps(self.network.wrap, "x"))

    @property
    def result(self) -> Box:
        """The whole result of the network."""
        scale = self.network.scale
        return Box(0, 0, self.width_px * scale, self.height_px * scale)

    def tile(self, index: int) -> Tile:
        """Return the window and the core of a tile by its number."""
        row, column = divmod(index, len(self.columns))
        return Tile(self.rows[row], self.columns[column])

    def parts(self, index: int) -> list[tuple[Tile, Ramp, Ramp]]:
        """Return the windows that a core is blended of, with their weights down and across.

        Without blending it is one window. The core of each window that is blended goes on into the
        next one, as far as both share px.
        """
        row, column = divmod(index, len(self.columns))
        return [
            (Tile(rows, columns), down, across)
            for rows, down in self._parts(self.rows, row)
            for columns, across in self._parts(self.columns, column)
        ]

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
        step = self.tile_px * self.network.scale
        return [
            row * len(self.columns) + column
            for row in range(box.top // step, min(len(self.rows), -(-box.bottom // step)))
            for column in range(box.left // step, min(len(self.columns), -(-box.right // step)))
        ]

    def window(self, tiles: Sequence[int]) -> Box:
        """Return the px of the input that tiles read, and those that fill colour under alpha.

        Along a wrapped axis the box may reach beyond the input's edges.
        """
        read = [tile for index in tiles for tile, _, _ in self.parts(index)]
        rows = [tile.rows.read_with(alpha.REACH_PX) for tile in read]
        columns = [tile.columns.read_with(alpha.REACH_PX) for tile in read]
        return Box.between(
            min(start for start, _ in columns),
            min(start for start, _ in rows),
            max(stop for _, stop in columns),
            max(stop for _, stop in rows),
        )

    def _spans(self, length_px: int, *, wraps: bool) -> list[Span]:
        network = self.network
        return spans(length_px, self.tile_px, network.halo_px, network.border_px, wraps=wraps)

    def _parts(self, line: list[Span], index: int) -> list[tuple[Span, Ramp]]:
        """List the windows along one axis that a core is blended of."""
        core = line[index]
        if not self.blend_px or not (index or core.wraps):
            return [(self._longer(core), Ramp(core.core_start, 0))]
        before = line[index - 1]
        if not index:  # across a wrapped edge the last one comes before the first
            before = before.moved(-before.length)
        # Behind a wrapped edge only this window goes on, so it must have faded in by then.
        core_px = core.core_stop - core.core_start
        rise_px = min(self.blend_px, core_px) if core.wraps else self.blend_px
        return [
            (self._longer(core), Ramp(core.core_start, rise_px)),
            (self._longer(before), Ramp(core.core_start, rise_px, falls=True)),
        ]

    def _longer(self, span: Span) -> Span:
        """Return the span of a window whose core goes on into the next."""
        if not self.blend_px:
            return span
        if span.wraps:
            stop = span.core_stop + self.blend_px
            return replace(span, core_stop=stop, stop=stop + self.network.halo_px)
        stop = min(span.core_stop + self.blend_px, span.length)
        end = min(span.length + self.network.border_px, stop + self.network.halo_px)
        return replace(span, core_stop=stop, stop=end)


def parts_inside(box: Box, height_px: int, width_px: int) -> list[list[Box]]:
    """Split a box that may reach beyond the edges of a wrapped picture into parts inside of it.

    Args:
        box: reaches beyond an edge only along a wrapped axis.
        height_px: of the picture.
        width_px: of the picture.

    Returns:
        The parts row by row, as they lie in the box; along an axis on which the box is longer than
        the picture, they are the whole axis once.

    Example:
        >>> parts_inside(Box(-2, 1, 5, 3), 4, 10)
        [[Box(left=8, top=1, width=2, height=3), Box(left=0, top=1, width=3, height=3)]]
    """
    columns = ranges_of(box.left, box.right, width_px)
    return [
        [Box.between(left, top, right, bottom) for left, right in columns]
        for top, bottom in ranges_of(box.top, box.bottom, height_px)
    ]


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
        box: a region of the last result, which may reach beyond wrapped edges; None for all of it.
    """
    if box is None:
        return [stage.tiles_in(stage.result) for stage in stages]
    needed: list[list[int]] = []
    boxes = [box]
    for stage in reversed(stages):
        height, width = stage.result.height, stage.result.width
        parts = [
            part for each in boxes for row in parts_inside(each, height, width) for part in row
        ]
        tiles = [stage.tiles_in(part) for part in parts]
        needed.insert(0, sorted({tile for each in tiles for tile in each}))
        boxes = [stage.window(each) for each in tiles]
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
