"""Enlarge an animation: frame by frame, each written to the disk before the next is decoded."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from clearzoom.engines.network import Network
from clearzoom.engines.tile import Channels
from clearzoom.engines.tiled import Progress
from clearzoom.io.animation.frame_spool import FrameSpool
from clearzoom.io.animation.frames import frames_of
from clearzoom.io.animation.orientation import turned
from clearzoom.io.animation.writing import Timing, write_frames
from clearzoom.io.atomic import whole_file
from clearzoom.io.background import over_background
from clearzoom.io.metadata.blocks import Metadata
from clearzoom.io.reading import Source
from clearzoom.pipeline.finish import finished_image
from clearzoom.pipeline.memory_budget import Budget
from clearzoom.pipeline.progress import in_turn
from clearzoom.pipeline.regions import whole_result
from clearzoom.pipeline.stages import run_stages

if TYPE_CHECKING:
    from clearzoom.pipeline.job import Job


def run_animation(
    job: "Job",
    networks: Sequence[Network],
    channels: Channels,
    metadata: Metadata,
    budget: Budget,
    progress: Progress | None,
) -> list[str]:
    """Enlarge every frame and write the file.

    Args:
        job: the plan for a source with several frames.
        networks: the chain, in the order in which they run.
        channels: what the channels of the source hold.
        metadata: the metadata that the result receives.
        budget: the memory budget of the process.
        progress: is called with (tiles done, tiles in all).

    Returns:
        One line for each thing that the format cannot hold.

    Raises:
        UnreadablePictureError: a frame is damaged; raised before the first is enlarged.
        OutputError: the result cannot be written, or the disk has too little room for its frames.
    """
    source, plan = job.source, job.plan
    assert source.layout is not None
    bands, durations_ms = _first_pass(source)
    background = job.settings.encoding.background
    stored_bands = bands if background == "none" else 3
    width, height = plan.result_px
    laid: tuple[str, ...] = ()
    with (
        whole_file(job.target) as temporary,
        FrameSpool(temporary, source.frames, (height, width, stored_bands)) as spool,
    ):
        for index, frame in enumerate(frames_of(source.path, source.layout)):
            pixels = np.ascontiguousarray(turned(frame.pixels, source.orientation)[..., :bands])
            of_frame = in_turn(progress, index, source.frames)
            result = run_stages(pixels, networks, channels, budget=budget, progress=of_frame)
            finished = finished_image(result, plan, whole_result(plan))
            finished, laid = over_background(finished, background)
            spool.put(index, np.asarray(finished.numpy()))
        problems = write_frames(
            temporary,
            job.target,
            spool,
            Timing(durations_ms, source.layout.plays),
            metadata,
            source.icc_profile,
            job.settings.encoding,
            job.dpi,
        )
    return [*laid, *problems]


def _first_pass(source: Source) -> tuple[int, tuple[float, ...]]:
    """Decode all frames once: return 4 channels if any px is transparent, else 3, and durations."""
    assert source.layout is not None
    opaque, durations_ms = True, []
    for frame in frames_of(source.path, source.layout):
        opaque = opaque and bool((frame.pixels[..., 3] == 255).all())
        durations_ms.append(frame.duration_ms)
    return 3 if opaque else 4, tuple(durations_ms)
