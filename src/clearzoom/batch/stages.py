"""Run a picture through its networks, one after the other, in memory or in a scratch folder."""

from collections.abc import Sequence
from dataclasses import dataclass

from clearzoom.batch.memory import peak_bytes
from clearzoom.batch.regions import Region
from clearzoom.core import alpha
from clearzoom.core.tiles import Tile
from clearzoom.engines.network import Network
from clearzoom.engines.tiled import (
    TILES_IN_FLIGHT,
    Meaning,
    Progress,
    canonical_grid,
    core_in_result,
    enlarge_tiles,
    room_for,
)
from clearzoom.errors import SizeError
from clearzoom.io.picture import Samples
from clearzoom.io.scratch import Scratch, release

_RELEASE_EVERY_TILES = 8

# The allocators of engine and system keep pieces: by how many of the first tile's shares the peak
# rises in the course of thousands of tiles, measured with benchmarks/sizes.py.
_GROWTH_OF_ONE, _GROWTH_OF_TWO = 2, 4


@dataclass(frozen=True)
class _Stage:
    name: str
    source: Samples
    result: Samples
    network: Network
    tiles: list[Tile]


def run_stages(
    samples: Samples,
    networks: Sequence[Network],
    meaning: Meaning,
    *,
    scratch: Scratch | None = None,
    region: Region | None = None,
    memory_bytes: int | None = None,
    progress: Progress | None = None,
) -> Samples:
    """Enlarge a picture by each network in turn.

    Args:
        samples: (H, W, C).
        networks: the first enlarges samples, the next its result, and so on.
        meaning: of the channels.
        scratch: holds the results and notes finished tiles, and those that it knows are not made
            again; without it all is in memory.
        region: of the last result that is wanted; the rest of it stays undefined.
        memory_bytes: fewer tiles at once where more would not fit.
        progress: is called with (tiles done, tiles in all).

    Returns:
        The last result; samples where there is no network.

    Raises:
        SizeError: one tile needs more memory than memory_bytes.
        ResultError: a network gave something that is no picture.
    """
    stages: list[_Stage] = []
    for index, network in enumerate(networks):
        source = stages[-1].result if stages else samples
        height, width, channels = source.shape
        shape = (height * network.scale, width * network.scale, channels)
        tiles = canonical_grid(source, network)
        name = str(index + 1)
        if scratch is None:
            result = room_for(shape, samples.dtype)
        else:
            result = scratch.picture(name, shape, samples.dtype, cmyk=meaning.colours == 4)
        stages.append(_Stage(name, source, result, network, tiles))
    wanted: list[list[int]] = []
    for stage in reversed(stages):
        chosen = [i for i, tile in enumerate(stage.tiles) if _touches(stage, tile, region)]
        wanted.insert(0, chosen)
        if region is not None:
            region = _needed(stage, [stage.tiles[i] for i in chosen])
    total, done = sum(map(len, wanted)), 0
    budget = _Budget(memory_bytes)
    for stage, chosen in zip(stages, wanted, strict=True):
        left = [i for i in chosen if not _is_done(scratch, stage, i)]
        release(stage.result)
        done += len(chosen) - len(left)
        _run_stage(stage, left, meaning, scratch, budget, progress, done, total)
        done += len(left)
    return stages[-1].result if stages else samples


def _run_stage(
    stage: _Stage,
    left: list[int],
    meaning: Meaning,
    scratch: Scratch | None,
    budget: "_Budget",
    progress: Progress | None,
    before: int,
    total: int,
) -> None:
    def finished(count: int, tile: Tile) -> None:
        index = left[done + count - 1]
        if scratch is not None:
            scratch.finished(f"{stage.name}/{index}", _pixels(stage, tile))
            if (done + count) % _RELEASE_EVERY_TILES == 0:
                release(stage.source, stage.result)
        if progress is not None:
            progress(before + done + count, total)

    done = 0
    while done < len(left):
        part = left[done : done + 1] if budget.wants_a_trial else left[done:]
        tiles = [stage.tiles[i] for i in part]
        with budget:
            enlarge_tiles(
                stage.source,
                stage.result,
                tiles,
                stage.network,
                meaning,
                finished,
                budget.in_flight,
            )
        done += len(part)
    if scratch is not None:
        release(stage.source, stage.result)


class _Budget:
    """Runs one tile alone where memory is limited, and learns from it how many fit."""

    def __init__(self, memory_bytes: int | None) -> None:
        self.limit = memory_bytes
        self.wants_a_trial = memory_bytes is not None
        self.in_flight = 1 if self.wants_a_trial else TILES_IN_FLIGHT

    def __enter__(self) -> None:
        self._before = peak_bytes()

    def __exit__(self, kind: object, *rest: object) -> None:
        if self.limit is None or kind is not None or not self.wants_a_trial:
            return
        self.wants_a_trial = False
        peak = peak_bytes()
        share = peak - self._before
        least = peak + share * _GROWTH_OF_ONE
        if least > self.limit:
            least_mb = -(-least // 10_000_000) * 10
            raise SizeError(
                f"one tile needs more memory than that; give --memory {least_mb}MB or more"
            )
        if peak + share * _GROWTH_OF_TWO <= self.limit:
            self.in_flight = TILES_IN_FLIGHT


def _pixels(stage: _Stage, tile: Tile) -> Samples:
    return stage.result[core_in_result(tile, stage.network.scale)]


def _is_done(scratch: Scratch | None, stage: _Stage, index: int) -> bool:
    if scratch is None:
        return False
    return scratch.has(f"{stage.name}/{index}", _pixels(stage, stage.tiles[index]))


def _touches(stage: _Stage, tile: Tile, region: Region | None) -> bool:
    if region is None:
        return True
    rows, columns = core_in_result(tile, stage.network.scale)
    return bool(
        rows.start < region.bottom
        and rows.stop > region.top
        and columns.start < region.right
        and columns.stop > region.left
    )


def _needed(stage: _Stage, tiles: list[Tile]) -> Region:
    height, width = stage.source.shape[:2]
    reach = alpha.REACH_PX
    return Region(
        max(0, min(tile.columns.start for tile in tiles) - reach),
        max(0, min(tile.rows.start for tile in tiles) - reach),
        min(width, max(tile.columns.stop for tile in tiles) + reach),
        min(height, max(tile.rows.stop for tile in tiles) + reach),
    )
