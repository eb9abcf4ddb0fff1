"""Run a picture through its networks, one after the other, in memory or in a scratch folder."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from clearzoom.core import alpha
from clearzoom.core.tiles import Tile
from clearzoom.engines.network import Network
from clearzoom.engines.tiled import (
    Meaning,
    Progress,
    canonical_grid,
    core_in_result,
    enlarge_tiles,
    room_for,
)
from clearzoom.io.picture import Samples
from clearzoom.io.scratch import Scratch, release
from clearzoom.pipeline.budget import Budget
from clearzoom.pipeline.regions import Region

_RELEASE_EVERY_TILES = 8
_TILES_PER_LOOK = 16
"""Where memory is limited, after so many it is looked again how many fit at once."""


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
    budget: Budget | None = None,
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
        budget: fewer tiles at once where more would not fit.
        progress: is called with (tiles done, tiles in all).

    Returns:
        The last result; samples where there is no network.

    Raises:
        SizeError: one tile needs more memory than the budget has.
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
            result = room_for(shape, samples.dtype, sparse=region is not None)
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
    budget = budget or Budget(None)
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
    budget: Budget,
    progress: Progress | None,
    before: int,
    total: int,
) -> None:
    def finished(part: list[int], count: int, tile: Tile) -> None:
        index = part[count - 1]
        if scratch is not None:
            scratch.finished(f"{stage.name}/{index}", _pixels(stage, tile))
            if (done + count) % _RELEASE_EVERY_TILES == 0:
                release(stage.source, stage.result)
        if progress is not None:
            progress(before + done + count, total)

    def run(part: list[int], in_flight: int) -> None:
        tiles = [stage.tiles[i] for i in part]
        told = partial(finished, part)
        enlarge_tiles(stage.source, stage.result, tiles, stage.network, meaning, told, in_flight)

    done = 0
    channels = stage.source.shape[2]
    if left:
        largest = max(left, key=lambda i: _window_px(stage.tiles[i]))
        size = _window_px(stage.tiles[largest]) * channels
        if budget.wants_trial(stage.network, size):
            with budget.trial(stage.network, size):
                run([largest], 1)
            left = [i for i in left if i != largest]
            done = 1
    at_once = _TILES_PER_LOOK if budget.limit_bytes is not None else max(1, len(left))
    for start in range(0, len(left), at_once):
        part = left[start : start + at_once]
        run(part, budget.in_flight(stage.network))
        done += len(part)
    if scratch is not None:
        release(stage.source, stage.result)


def _window_px(tile: Tile) -> int:
    rows, columns = tile.rows, tile.columns
    return (rows.stop - rows.start) * (columns.stop - columns.start)


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
