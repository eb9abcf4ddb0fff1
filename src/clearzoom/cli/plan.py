"""``clearzoom plan``."""

from functools import wraps
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

from clearzoom.cli.defaults import chosen
from clearzoom.cli.enlarge import check_one_picture, enlarge
from clearzoom.cli.options import settings_of
from clearzoom.cli.plan_lines import chain_text, chosen_text, network_lines, plan_lines
from clearzoom.cli.reporting import Reporting
from clearzoom.errors import ClearzoomError
from clearzoom.pipeline.request import option_of

if TYPE_CHECKING:
    from clearzoom.cli.selection import Many, Single
    from clearzoom.pipeline.estimate import Estimator
    from clearzoom.pipeline.job import Job
    from clearzoom.pipeline.settings import Settings


@wraps(enlarge)
def plan(**options: Any) -> None:
    """Print what 'enlarge' would do with the same options; OUT is not written."""
    from clearzoom.cli.pipes import opened
    from clearzoom.cli.selection import Many, select
    from clearzoom.pipeline.estimate import Estimator

    options = chosen(options["context"])
    settings = settings_of(options)
    reporting = Reporting.of("plan", options)
    with opened(options["sources"], options["output"], settings.format, writes=False) as ends:
        reporting.named = ends.named
        part = options["preview"] is not None
        work = select(ends.sources, ends.output, settings, part=part)
        check_one_picture(work, options)
        alone, estimator = len(work) == 1, Estimator()
        for each in work:
            try:
                if isinstance(each, Many):
                    _plan_many(each, settings, reporting, estimator, options["recursive"])
                else:
                    _plan_one(each, settings, options, reporting, estimator)
            except ClearzoomError as error:
                reporting.take_failure(each.named, error, alone=alone)
                if alone:
                    raise
    reporting.end()


# The options are those of enlarge; the name and the help are its own.
plan.__name__ = "plan"
plan.__doc__ = """Print what 'enlarge' would do with the same options; nothing is written to OUT.

To estimate time and size, a few windows of the picture are enlarged for about a second. With
--memory, one tile of each network is tried first.
"""


def _plan_one(
    single: "Single",
    settings: "Settings",
    options: dict[str, Any],
    reporting: Reporting,
    estimator: "Estimator",
) -> None:
    from clearzoom.cli.json_report import picture_of
    from clearzoom.pipeline.job import networks_of, noted
    from clearzoom.pipeline.memory_trial import trial_budget, try_tiles
    from clearzoom.pipeline.settings import parse_region

    part = parse_region(options["preview"]) if options["preview"] is not None else None
    job = single.planned(settings, part)
    networks = networks_of(job)  # a network that cannot be loaded ends the plan with its error
    job = noted(job, networks)
    try_tiles(job, trial_budget(settings.memory_bytes))
    for line in plan_lines(job, settings):
        reporting.say(line)
    estimate = _estimated([job], estimator, reporting)
    reporting.say(f"estimate {estimate}, from a short measurement here")
    for note in job.notes:
        reporting.say(f"note     {note}")
    if reporting.verbose:
        for line in network_lines(job, networks):
            reporting.detail(line)
    reporting.run.take(picture_of(job, networks))


def _plan_many(
    many: "Many",
    settings: "Settings",
    reporting: Reporting,
    estimator: "Estimator",
    recursive: bool,
) -> None:
    from clearzoom.batch.batch import Batch
    from clearzoom.batch.plan import plan_batch
    from clearzoom.batch.storage import LocalFolder
    from clearzoom.batch.tree import full_name, left_out_text
    from clearzoom.cli.json_report import PictureReport, picture_of
    from clearzoom.pipeline.job import networks_of

    before, again, failures, px = 0, 0, 0, 0
    jobs: list[Job] = []
    batch = Batch(many.source, LocalFolder(str(many.target)), settings, recursive=recursive)
    reporting.describe(batch)
    folder = plan_batch(batch)
    for picture in folder.pictures:
        planned, file = picture.job, full_name(many.source, picture.file)
        if picture.error is not None:
            failures += 1
            reporting.say(f"{picture.file}  fails: {picture.error}")
            report = PictureReport(
                file=file, status="failed", code=picture.code, error=picture.error
            )
        elif planned is None:
            before += 1
            reporting.say(f"{picture.file}  done before")
            report = PictureReport(file=file, status="done before")
        else:
            px += _say_planned(picture.file, planned, settings, reporting)
            again += batch.rows.get(picture.file, {}).get("status") == "done"
            jobs.append(planned)
            report = picture_of(planned, networks_of(planned))
        reporting.run.take(report)
    if jobs:
        estimate = _estimated(jobs, estimator, reporting)
        reporting.say(
            f"estimate {estimate}, from a short measurement here, of the largest of each kind"
        )
    left_out = folder.listing.left_out.values()
    reporting.run.leave_out(left_out)
    others = left_out_text(left_out)
    replaced = f" ({again} of them again, as they or the options changed)" if again else ""
    reporting.say(
        f"{many.target}  {len(jobs)} pictures{replaced}, {px / 1e6:.1f} MP; {before} done before, "
        f"{failures} will fail{f', {others}' if others else ''}"
    )


def _say_planned(name: str, planned: "Job", settings: "Settings", reporting: Reporting) -> int:
    """Print the lines of one picture of a folder, and return the area of its result in px."""
    frames = planned.source.frames
    (width, height), before = planned.plan.result_px, planned.plan.source_px
    other_name = "" if PurePath(name).name == planned.target.name else f"{planned.target.name}  "
    reporting.say(
        f"{name}  {before[0]}x{before[1]} px -> {other_name}{width}x{height} px"
        + (f"  {frames} frames" if frames > 1 else "")
        + f"  ({chain_text(planned)}"
        + (f"; {chosen_text(planned, settings)})" if planned.plan.stages else ")")
    )
    for note in planned.notes:
        reporting.say(f"  note: {note}")
    return width * height * frames


def _estimated(jobs: "list[Job]", estimator: "Estimator", reporting: Reporting) -> str:
    try:
        total = estimator.total(jobs)
    except ClearzoomError as error:  # the plan is useful without an estimate
        return f"none: {error.worded(option_of)}"
    except OSError as error:
        return f"none: {error}"
    seconds, size = total.seconds, total.file_bytes
    run = reporting.run
    run.seconds = round(run.seconds + seconds, 3)
    run.estimated_bytes = (run.estimated_bytes or 0) + size
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
