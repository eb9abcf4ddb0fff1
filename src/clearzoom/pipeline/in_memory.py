"""Enlarge samples that are in memory, as a file's would be: networks, then one resampling."""

from dataclasses import dataclass
from functools import cache, partial
from typing import cast

from clearzoom.core.plan import Plan
from clearzoom.engines.chain import chain_notes
from clearzoom.engines.network import Network
from clearzoom.engines.tile import Channels
from clearzoom.engines.tiled import Progress
from clearzoom.errors import SizeError
from clearzoom.io.picture import Samples
from clearzoom.pipeline.appraise import appraise_samples, resolved
from clearzoom.pipeline.finish import finished_image
from clearzoom.pipeline.forked import check_not_forked
from clearzoom.pipeline.job import plan_size
from clearzoom.pipeline.memory_budget import Budget
from clearzoom.pipeline.networks import chain_of, window_notes
from clearzoom.pipeline.regions import whole_result
from clearzoom.pipeline.settings import Settings
from clearzoom.pipeline.stages import run_stages


@dataclass(frozen=True)
class Enlarged:
    """The result of ``enlarge_in_memory``.

    Attributes:
        samples: (H, W, C), of the dtype and the channels of the input.
        plan: what was followed.
        networks: in the order in which they ran.
        notes: what the user should know of the size and the networks.
    """

    samples: Samples
    plan: Plan
    networks: list[Network]
    notes: tuple[str, ...]


def enlarge_in_memory(
    samples: Samples,
    channels: Channels,
    settings: Settings,
    progress: Progress | None = None,
    *,
    coding: float = 0.0,
) -> Enlarged:
    """Enlarge samples to the exact size that settings ask for.

    Args:
        samples: (H, W, C) uint8 or uint16, upright.
        channels: what the C channels hold.
        settings: the user's settings; those of files have no effect.
        progress: is called with (tiles done, tiles in all).
        coding: rms error of the compression that the samples come from, in levels of 255.

    Raises:
        InputError: the last resampling would run in a fork.
        SizeError: the picture is empty or has more px than the settings allow, the result does not
            fit into memory, or one tile needs more than ``memory_bytes``.
        ModelError: there are no such weights.
        ResultError: a network gave something that is no picture.
    """
    height, width = samples.shape[:2]
    if height * width > settings.max_pixels:
        raise SizeError(
            f"the picture has {width}x{height} px, more than {settings.max_pixels:,}; raise "
            "`max_pixels` to allow it",
            setting="max_pixels",
        )
    plan = plan_size((width, height), settings)
    appraisal = cache(partial(appraise_samples, samples, channels, coding))
    networks = chain_of(resolved(settings, plan.stages, appraisal), plan.stages)
    budget = Budget(settings.memory_bytes)
    result = run_stages(samples, networks, channels, budget=budget, progress=progress)
    if plan.enlarged_px != plan.result_px:
        check_not_forked()
        image = finished_image(result, plan, whole_result(plan), cmyk=channels.colours == 4)
        shape = (*plan.result_px[::-1], samples.shape[2])
        result = cast(Samples, image.numpy().reshape(shape))
    notes = (*plan.notes, *window_notes(settings.model, plan), *chain_notes(networks))
    return Enlarged(result, plan, networks, notes)
