"""Whether one tile of each network fits the memory that a job may take: it is tried."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np

from clearzoom.core.tiles import Tile
from clearzoom.engines.tiled import Meaning, enlarge_core, window_of
from clearzoom.io.picture import Samples
from clearzoom.io.reading import decode
from clearzoom.pipeline.budget import Budget
from clearzoom.pipeline.job import Job, meaning_of
from clearzoom.pipeline.networks import chain_of
from clearzoom.pipeline.sample_windows import length_px, spans_read, spread, stitched

_DECODED_BYTES = 16_000_000
_SLACK = 1.05
"""What one process takes and the next does not is no reason to refuse a job that may run."""


def trial_budget(memory_bytes: int | None) -> Budget:
    """Give a budget to try jobs with, a little above what they may take.

    Args:
        memory_bytes: that they may take; None for no limit.
    """
    return Budget(None if memory_bytes is None else int(memory_bytes * _SLACK))


def try_tiles(job: Job, budget: Budget) -> None:
    """Run the largest tile of each network alone, as the job will, where memory is limited.

    Args:
        job: from ``plan_job``.
        budget: from ``trial_budget``, of all jobs that are tried.

    Raises:
        SizeError: one tile needs more memory.
        ModelError: and its kinds, as ``load_network`` says.
    """
    if budget.limit_bytes is None:
        return
    # The eight runs of an ensemble come one after the other, and take no more than one.
    networks = chain_of(replace(job.settings, ensemble=False), job.plan.stages)
    for network, rows, columns in spans_read(job, networks):
        tile = Tile(max(rows, key=length_px), max(columns, key=length_px))
        size = length_px(tile.rows) * length_px(tile.columns) * job.source.channels
        if not budget.wants_trial(network, size):
            continue
        window, meaning = _window(job, tile, is_first=network is networks[0])
        origin = window_of(tile.rows)[0], window_of(tile.columns)[0]
        # In a thread, as in a job: the C library has other room for it.
        with budget.trial(network, size), ThreadPoolExecutor(1) as pool:
            pool.submit(enlarge_core, window, origin, tile, network, meaning).result()


def _window(job: Job, tile: Tile, *, is_first: bool) -> tuple[Samples, Meaning]:
    """Give the px of a tile, or of large pictures and later networks some that are like them.

    How much a tile takes depends on what it shows: where the range clips, more is repaired.
    """
    (top, bottom), (left, right) = window_of(tile.rows), window_of(tile.columns)
    meaning = meaning_of(job.source)
    if is_first and job.source.frames == 1 and job.source.raw_bytes <= _DECODED_BYTES:
        return decode(job.source)[top:bottom, left:right], meaning
    content = stitched(spread(job))
    down, across = np.arange(top, bottom), np.arange(left, right)
    window = content[(down % content.shape[0])[:, None], across % content.shape[1]]
    return window, Meaning(window.shape[2], meaning.tone)
