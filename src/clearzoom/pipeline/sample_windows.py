"""Windows of a picture as samples, for measuring time and memory."""

from collections.abc import Sequence

import numpy as np

from clearzoom.core.arrays import Tensor
from clearzoom.engines.chain import Stage, needed_tiles, stages_of
from clearzoom.engines.network import Network
from clearzoom.io.picture import Samples
from clearzoom.pipeline.job import Job
from clearzoom.pipeline.regions import needed_of_networks

_ALONG = 2


def as_samples(window: Tensor, job: Job) -> Samples:
    """Convert a window to samples of the job's depth and colours.

    Args:
        window: (1, 3, H, W) in -0.5..0.5, as a network sees it.
        job: its source states whether samples are grey or coloured, of 8 or 16 bit.

    Returns:
        (H, W, C), C being 1 or 3: without alpha and K.
    """
    dtype = np.dtype(job.source.dtype)
    levels = (window[0].transpose(1, 2, 0) + np.float32(0.5)) * np.iinfo(dtype).max
    samples: Samples = np.clip(levels + 0.5, 0, np.iinfo(dtype).max).astype(dtype)
    colours: Samples = samples[..., :1] if job.source.channels <= 2 else samples
    return colours


def spread(job: Job) -> list[Samples]:
    """Return four windows of a job's picture, spread over it."""
    windows = job.appraisal().windows
    return [as_samples(windows[i * len(windows) // _ALONG**2], job) for i in range(_ALONG**2)]


def stitched(windows: list[Samples]) -> Samples:
    """Join four windows to a square of two by two."""
    height, width = np.min([each.shape[:2] for each in windows], axis=0)
    cut = [each[:height, :width] for each in windows]
    rows = [np.concatenate(cut[i : i + _ALONG], axis=1) for i in range(0, len(cut), _ALONG)]
    together: Samples = np.ascontiguousarray(np.concatenate(rows))
    return together


def job_tiles(job: Job, networks: Sequence[Network]) -> list[tuple[Stage, list[int]]]:
    """List the tiles that a job runs through each of its networks.

    Args:
        job: from ``plan_job``; of a preview only what it needs.
        networks: of the job.
    """
    stages = stages_of((job.source.height_px, job.source.width_px), networks)
    box = needed_of_networks(job.plan, job.cut) if job.preview else None
    return list(zip(stages, needed_tiles(stages, box), strict=True))
