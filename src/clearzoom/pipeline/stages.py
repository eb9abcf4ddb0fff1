"""Run a picture through its networks, one after the other, in memory or in a scratch folder."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from clearzoom.core.box import Box
from clearzoom.engines.chain import Stage, needed_tiles, stages_of
from clearzoom.engines.network import Network
from clearzoom.engines.tile import Channels
from clearzoom.engines.tiled import Progress, enlarge_tiles, room_for
from clearzoom.io.picture import Samples
from clearzoom.io.scratch import Scratch, release
from clearzoom.pipeline.memory_budget import Budget

_RELEASE_EVERY_TILES = 8
_TILES_PER_CHECK = 16
"""Where memory is limited, how many tiles run before the free memory is measured again."""


@dataclass(frozen=True)
class _Run:
    """A stage with its input and its result, in memory or in files."""

    name: str
    stage: Stage
    source: Samples
    result: Samples

    def core(self, tile: int) -> Samples:
        """Return a tile's part of the result."""
        return self.result[self.stage.core(tile).slices]


def run_stages(
    samples: Samples,
    networks: Sequence[Network],
    channels: Channels,
    *,
    scratch: Scratch | None = None,
    region: Box | None = None,
    budget: Budget | None = None,
    progress: Progress | None = None,
) -> Samples:
    """Enlarge a picture by each network in turn.

    Args:
        samples: (H, W, C).
        networks: the first enlarges samples, the next its result, and so on.
        channels: what the C channels hold.
        scratch: holds the results and notes finished tiles; tiles that it has are not made again.
            Without it all is in memory.
        region: the part of the last result that is made; the rest of it stays undefined.
        budget: runs fewer tiles at once where more would not fit.
        progress: is called with (tiles done, tiles in all).

    Returns:
        The last result; samples where there is no network.

    Raises:
        SizeError: one tile needs more memory than the budget has.
        ResultError: a network gave something that is no picture.
    """
    runs: list[_Run] = []
    stages = stages_of(samples.shape[:2], networks)
    for index, stage in enumerate(stages):
        source = runs[-1].result if runs else samples
        shape = (stage.result.height, stage.result.width, samples.shape[2])
        name = str(index + 1)
        if scratch is None:
            result = room_for(shape, samples.dtype, sparse=region is not None)
        else:
            result = scratch.picture(name, shape, samples.dtype, cmyk=channels.colours == 4)
        runs.append(_Run(name, stage, source, result))
    needed = needed_tiles(stages, region)
    total, done = sum(map(len, needed)), 0
    budget = budget or Budget(None)
    for run, tiles in zip(runs, needed, strict=True):
        left = [tile for tile in tiles if not _is_done(scratch, run, tile)]
        release(run.result)
        done += len(tiles) - len(left)
        _run_stage(run, left, channels, scratch, budget, progress, done, total)
        done += len(left)
    return runs[-1].result if runs else samples


def _run_stage(
    run: _Run,
    left: list[int],
    channels: Channels,
    scratch: Scratch | None,
    budget: Budget,
    progress: Progress | None,
    before: int,
    total: int,
) -> None:
    def finished(count: int, tile: int) -> None:
        if scratch is not None:
            scratch.finished(f"{run.name}/{tile}", run.core(tile))
            if (done + count) % _RELEASE_EVERY_TILES == 0:
                release(run.source, run.result)
        if progress is not None:
            progress(before + done + count, total)

    enlarge = partial(enlarge_tiles, run.source, run.result, run.stage)
    network, bands = run.stage.network, run.source.shape[2]
    done = 0
    if left:
        largest = max(left, key=lambda tile: run.stage.tile(tile).window_px)
        size = run.stage.tile(largest).window_px * bands
        if budget.wants_trial(network, size):
            with budget.trial(network, size):
                enlarge([largest], channels, finished, 1)
            left = [tile for tile in left if tile != largest]
            done = 1
    at_once = _TILES_PER_CHECK if budget.limit_bytes is not None else max(1, len(left))
    for start in range(0, len(left), at_once):
        part = left[start : start + at_once]
        enlarge(part, channels, finished, budget.in_flight(network))
        done += len(part)
    if scratch is not None:
        release(run.source, run.result)


def _is_done(scratch: Scratch | None, run: _Run, tile: int) -> bool:
    return scratch is not None and scratch.has(f"{run.name}/{tile}", run.core(tile))
