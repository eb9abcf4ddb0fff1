"""Try whether one tile of each network fits the memory that a job may take."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np

from clearzoom.core.box import Box
from clearzoom.engines.blended import enlarge_core
from clearzoom.engines.tile import Channels
from clearzoom.io.picture import Samples
from clearzoom.io.reading import decode
from clearzoom.pipeline.job import Job, channels_of
from clearzoom.pipeline.memory_budget import Budget
from clearzoom.pipeline.networks import chain_of
from clearzoom.pipeline.sample_windows import job_tiles, spread, stitched

_DECODED_BYTES = 16_000_000
_SLACK = 1.05
"""Processes differ by so much in what they take for the same tile: no reason to refuse a job."""


def trial_budget(memory_bytes: int | None) -> Budget:
    """Make the budget of trials, a little above that of the jobs.

    Args:
        memory_bytes: what the jobs may take; None for no limit.
    """
    return Budget(None if memory_bytes is None else int(memory_bytes * _SLACK))


def try_tiles(job: Job, budget: Budget) -> None:
    """Run the largest tile of each network alone, as the job will, where memory is limited.

    Args:
        job: what ``plan_job`` returned.
        budget: what ``trial_budget`` returned, shared by all jobs that are tried.

    Raises:
        SizeError: one tile needs more memory.
        ModelError: the weights cannot be loaded, as ``load_network`` states.
    """
    if budget.limit_bytes is None:
        return
    # The eight runs of an ensemble come one after the other, and take no more than one.
    networks = chain_of(replace(job.settings, ensemble=False), job.plan.stages)
    for stage, tiles in job_tiles(job, networks):
        network, largest = stage.network, max(tiles, key=lambda tile: stage.tile(tile).window_px)
        around = stage.window([largest])
        size = stage.tile(largest).window_px * job.source.channels
        if not budget.wants_trial(network, size):
            continue
        window, channels = _window(job, around, is_first=network is networks[0])
        # In a thread, as in a job: the C library keeps another heap for it.
        with budget.trial(network, size), ThreadPoolExecutor(1) as pool:
            origin = around.top, around.left
            pool.submit(enlarge_core, window, origin, stage, largest, channels).result()


def _window(job: Job, around: Box, *, is_first: bool) -> tuple[Samples, Channels]:
    """Return the px of a tile, or of large pictures and later networks some that are like them.

    How much memory a tile takes depends on its content: where the range clips, more is repaired.
    """
    channels = channels_of(job.source)
    if is_first and job.source.frames == 1 and job.source.raw_bytes <= _DECODED_BYTES:
        return decode(job.source)[around.slices], channels
    content = stitched(spread(job))
    down, across = np.arange(around.top, around.bottom), np.arange(around.left, around.right)
    window = content[(down % content.shape[0])[:, None], across % content.shape[1]]
    return window, Channels(window.shape[2], channels.tone)
