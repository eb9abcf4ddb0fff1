"""The lines that describe a planned picture, for ``plan`` and ``--verbose``."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from clearzoom.core.plan import size_cm

if TYPE_CHECKING:
    from clearzoom.engines.network import Network
    from clearzoom.pipeline.job import Job
    from clearzoom.pipeline.settings import Settings


def chain_text(job: "Job") -> str:
    """Name the model, its scales and the strength below 1; without a network, what makes the px."""
    chain = ", ".join(f"x{scale}" for scale in job.plan.stages)
    if not chain:
        return job.plan.resampling
    strength = job.settings.strength
    suffix = f" at strength {strength:g}" if strength < 1 else ""
    return f"{job.settings.model} {chain}{suffix}"


def plan_lines(job: "Job", settings: "Settings") -> Iterator[str]:
    """Describe what a job will do.

    Args:
        job: the plan.
        settings: the user's, in which ``auto`` stands for a choice by the picture.
    """
    source, planned = job.source, job.plan
    bits = 16 if source.deep else 8
    width, height = job.cut.width, job.cut.height
    yield (
        f"input    {source.path}  {source.kind}  {source.width_px}x{source.height_px} px  "
        f"{bits} bit  {_colours(job)}" + (f"  {source.frames} frames" if source.frames > 1 else "")
    )
    computed = f", {planned.computed_px:,} px computed in all"
    networks = chain_text(job) if planned.stages else "none"
    yield f"networks {networks}: {planned.enlarged_px[0]}x{planned.enlarged_px[1]} px" + (
        "" if job.preview or not planned.stages else computed
    )
    if planned.stages:
        yield f"chosen   {chosen_text(job, settings)}"
    if planned.resized_px != planned.enlarged_px:
        size = f"{planned.resized_px[0]}x{planned.resized_px[1]} px"
        yield f"resample {size}, {planned.resampling}"
    if job.preview:
        yield f"cut      {width}x{height} px, --preview"
    elif planned.result_px != planned.resized_px:
        left = width * height / (planned.resized_px[0] * planned.resized_px[1])
        yield f"cut      {width}x{height} px, from the middle: {100 * left:.0f} % of the picture"
    stated = f"  {job.dpi[0]:.0f} dpi" if job.dpi else ""
    if planned.dpi and not job.preview:
        stated += f"  {size_cm((width, height), planned.dpi)}"
    yield f"result   {job.target}  {width}x{height} px  {width * height / 1e6:.1f} MP{stated}"


def network_lines(job: "Job", networks: "list[Network]") -> Iterator[str]:
    """Describe what runs a job: engine, weights and tiles.

    Args:
        job: the plan.
        networks: the chain.
    """
    from clearzoom.pipeline.sample_windows import job_tiles

    for network, (stage, tiles) in zip(networks, job_tiles(job, networks), strict=True):
        yield (
            f"runs     {network.name} x{network.scale} on {network.engine}; tiles: {len(tiles)} of "
            f"{stage.tile_px} px, with {network.halo_px} px around; "
            f"sha256 {network.sha256[:12]}"
        )


def chosen_text(job: "Job", settings: "Settings") -> str:
    """Name consistency, denoise and wrap, and mark those chosen by the picture.

    Args:
        job: the plan.
        settings: the user's, in which ``auto`` stands for a choice by the picture.
    """
    from clearzoom.engines.wrappers import consistency_text

    consistency, denoise = job.settings.consistency, job.settings.denoise
    assert consistency != "auto"
    words = f"consistency {consistency_text(consistency)}"
    words += " (auto)" if settings.consistency == "auto" else ""
    if denoise is not None:
        words += f", denoise {denoise:g}" + (" (auto)" if settings.denoise == "auto" else "")
    if job.settings.wrap != "none":
        words += f", wrap {job.settings.wrap}" + (" (auto)" if settings.wrap == "auto" else "")
    return words


def _colours(job: "Job") -> str:
    source = job.source
    name = "CMYK" if source.cmyk else "grey" if source.channels <= 2 else "RGB"
    return name + (" and alpha" if source.has_alpha else "")
