"""``clearzoom plan``."""

from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from clearzoom.cli.console import say
from clearzoom.cli.enlarge import chain_text, check_for_folder, enlarge
from clearzoom.cli.options import settings_of
from clearzoom.errors import ClearzoomError
from clearzoom.pipeline.request import option_of

if TYPE_CHECKING:
    from clearzoom.pipeline.estimate import Estimator
    from clearzoom.pipeline.job import Job
    from clearzoom.pipeline.settings import Settings


@wraps(enlarge)
def plan(**options: Any) -> None:
    """Print what 'enlarge' would do with the same options; OUT is not written."""
    from clearzoom.pipeline.estimate import Estimator
    from clearzoom.pipeline.job import networks_of, noted, plan_job
    from clearzoom.pipeline.memory_trial import trial_budget, try_tiles
    from clearzoom.pipeline.paths import is_folder
    from clearzoom.pipeline.settings import parse_region

    settings = settings_of(options)
    if is_folder(options["source"]):
        check_for_folder(options["preview"], options["fidelity_map"])
        _plan_folder(options["source"], options["output"], settings, recursive=options["recursive"])
        return
    part = parse_region(options["preview"]) if options["preview"] is not None else None
    job = plan_job(options["source"], options["output"], settings, preview=part)
    job = noted(job, networks_of(job))  # a network that cannot be loaded ends the plan
    try_tiles(job, trial_budget(settings.memory_bytes))
    source, planned = job.source, job.plan
    bits = 16 if source.deep else 8
    width, height = job.cut.width, job.cut.height
    lines = [
        f"input    {source.path}  {source.kind}  {source.width_px}x{source.height_px} px  "
        f"{bits} bit  {_colours(job)}" + (f"  {source.frames} frames" if source.frames > 1 else ""),
        f"networks {chain_text(job)}: {planned.enlarged_px[0]}x{planned.enlarged_px[1]} px"
        + (
            ""
            if job.preview or not planned.stages
            else f", {planned.computed_px:,} px computed in all"
        ),
    ]
    if planned.stages:
        lines.append(f"chosen   {_chosen(job, settings)}")
    if planned.resized_px != planned.enlarged_px:
        size = f"{planned.resized_px[0]}x{planned.resized_px[1]} px"
        lines.append(f"resample {size}, {planned.resampling}")
    if job.preview:
        lines.append(f"cut      {width}x{height} px, --preview")
    elif planned.result_px != planned.resized_px:
        lines.append(f"cut      {width}x{height} px, from the middle")
    stated = f"  {job.dpi[0]:.0f} dpi" if job.dpi else ""
    lines.append(
        f"result   {job.target}  {width}x{height} px  {width * height / 1e6:.1f} MP{stated}"
    )
    lines.append(f"estimate {_estimated([job], Estimator())}, from a short measurement here")
    lines += [f"note     {note}" for note in job.notes]
    for line in lines:
        say(line)


# The options are those of enlarge; the name and the help are its own.
plan.__name__ = "plan"
plan.__doc__ = """Print what 'enlarge' would do with the same options; nothing is written to OUT.

To estimate time and size, a few windows of the picture are enlarged for about a second. With
--memory, one tile of each network is tried first.
"""


def _plan_folder(source: Path, output: Path, settings: "Settings", *, recursive: bool) -> None:
    from clearzoom.batch.plan import plan_folder
    from clearzoom.batch.tree import left_out_text
    from clearzoom.pipeline.estimate import Estimator

    pictures, before, failures, px = 0, 0, 0, 0
    jobs: list[Job] = []
    folder = plan_folder(source, output, settings, recursive=recursive)
    for picture in folder.pictures:
        planned = picture.job
        if picture.error is not None:
            failures += 1
            say(f"{picture.file}  fails: {picture.error}")
        elif planned is None:
            before += 1
            say(f"{picture.file}  done before")
        else:
            pictures += 1
            px += _say_planned(picture.file, planned, settings)
            jobs.append(planned)
    if jobs:
        estimate = _estimated(jobs, Estimator())
        say(f"estimate {estimate}, from a short measurement here, of the first of each kind")
    others = left_out_text(folder.listing.left_out.values())
    say(
        f"{output}  {pictures} pictures, {px / 1e6:.1f} MP; {before} done before, {failures} will "
        f"fail{f', {others}' if others else ''}"
    )
    if failures:
        raise typer.Exit(3)


def _say_planned(name: str, planned: "Job", settings: "Settings") -> int:
    """Print the lines of one picture of a folder, and return the area of its result in px."""
    frames = planned.source.frames
    (width, height), before = planned.plan.result_px, planned.plan.source_px
    say(
        f"{name}  {before[0]}x{before[1]} px -> {width}x{height} px"
        + (f"  {frames} frames" if frames > 1 else "")
        + f"  ({chain_text(planned)}"
        + (f"; {_chosen(planned, settings)})" if planned.plan.stages else ")")
    )
    for note in planned.notes:
        say(f"  note: {note}")
    return width * height * frames


def _estimated(jobs: "list[Job]", estimator: "Estimator") -> str:
    try:
        estimates = [estimator.of(job) for job in jobs]
    except ClearzoomError as error:  # the plan is useful without an estimate
        return f"none: {error.worded(option_of)}"
    except OSError as error:
        return f"none: {error}"
    seconds = sum(each.seconds for each in estimates)
    size = sum(each.file_bytes for each in estimates)
    long = next(
        f"{_rounded(seconds / of)} {unit}"
        for of, unit in ((86_400, "days"), (3600, "h"), (60, "min"), (1, "s"))
        if seconds >= 2 * of or of == 1
    )
    large = next(
        f"{_rounded(size / of)} {unit}"
        for of, unit in ((1e9, "GB"), (1e6, "MB"), (1e3, "kB"), (1, "bytes"))
        if size >= of or of == 1
    )
    return f"about {long} and {large}"


def _rounded(number: float) -> str:
    return f"{float(f'{number:.2g}'):g}"


def _colours(job: "Job") -> str:
    source = job.source
    name = "CMYK" if source.cmyk else "grey" if source.channels <= 2 else "RGB"
    return name + (" and alpha" if source.has_alpha else "")


def _chosen(job: "Job", settings: "Settings") -> str:
    """Name consistency, denoise and wrap, and mark those chosen by the picture."""
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
