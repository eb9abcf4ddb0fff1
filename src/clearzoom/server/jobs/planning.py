"""What a job will be, within the server's limits, and how its errors are told."""

import logging
import re
from collections.abc import Sequence
from dataclasses import replace

from clearzoom.engines.chain import chain_sha256, chain_text
from clearzoom.errors import (
    ClearzoomError,
    InputError,
    MissingExtraError,
    MissingFileError,
    ModelError,
    OutputError,
    SizeError,
    UnreadablePictureError,
    WeightsError,
)
from clearzoom.io.formats import FORMATS
from clearzoom.io.names import stem_of
from clearzoom.io.reading import Source, open_picture
from clearzoom.pipeline.job import Job, networks_of, plan_job
from clearzoom.pipeline.memory import resident_bytes
from clearzoom.server.error_answers import Failure, RefusedError
from clearzoom.server.jobs.records import JobFolder, Record

MOST_AWAITED_PIXELS = 25_000_000
"""Of a result that a request waits for."""

_MEMORY_BYTES = 1_000_000_000
"""For what an encoder holds at once; the rest is in files."""
_OPTION = re.compile(r"--([a-z][a-z-]*)")
_FIELDS = {"print": "print_size"}
_FAULT = Failure(code="fault", message="the server cannot do that now; its log says why")
_log = logging.getLogger("clearzoom.server")


def plan(folder: JobFolder, record: Record, most_result_pixels: int) -> Job:
    """Look at the picture, and say what will be made; nothing is computed.

    Args:
        folder: of the job.
        record: with the request, the source, its name and limit; name, size and notes of the
            result are set in it.
        most_result_pixels: of all frames together.

    Raises:
        RefusedError: 413 where picture or result is too large for this server.
        ClearzoomError: as ``plan_job`` says.
    """
    assert record.source is not None
    try:
        source = open_picture(record.source, max_pixels=record.most_pixels)
    except SizeError:
        source = None
    if source is None or _pixels(source.width_px, source.height_px, source) > record.most_pixels:
        limit = f"{record.most_pixels:,}"
        raise RefusedError(413, f"the picture has more than {limit} px, this server's limit")
    record.suffix = record.suffix or _suffix_of(source)
    settings = replace(
        record.request.settings(),
        max_pixels=record.most_pixels,
        # With all frames of an animation what the process holds already is counted as well.
        memory_bytes=_MEMORY_BYTES + (resident_bytes() if source.frames > 1 else 0),
    )
    job = plan_job(record.source, folder.result(record.suffix), settings)
    width, height = job.plan.result_px
    pixels = _pixels(width, height, source)
    if pixels > most_result_pixels:
        raise RefusedError(
            413,
            f"the result would have {pixels:,} px, more than {most_result_pixels:,}, "
            "this server's limit",
        )
    if record.awaited and pixels > MOST_AWAITED_PIXELS:
        raise RefusedError(
            413,
            f"the result would have {pixels:,} px, more than {MOST_AWAITED_PIXELS:,} that a "
            "request waits for; add job=true",
        )
    record.width, record.height = width, height
    record.name = _result_name(record, width, height)
    record.notes = shown(job.notes, folder, record)
    record.pixels = _kind_of_pixels(job)
    return job


def model_of(job: Job) -> str | None:
    """Say which networks infer, with their hashes; None where none does.

    Raises:
        ModelError: the weights cannot be used so.
    """
    networks = networks_of(job)
    if not networks:
        return None
    return f"{chain_text(networks)}; sha256={chain_sha256(networks)}"


def told(error: Exception, folder: JobFolder, record: Record) -> tuple[int, Failure]:
    """Say an error to a client: no paths of this machine, and fields in place of options.

    Args:
        error: of planning or running.
        folder: of the job.
        record: whose files are named.

    Returns:
        The status that fits, and what is said; the log has what is not.
    """
    if isinstance(error, RefusedError):
        return error.status, Failure(code="too-large", message=str(error))
    # An encoder's or the system's word: nothing that another request would change.
    internal = isinstance(error, OutputError) and error.__cause__ is not None
    status = status_of(type(error))
    if internal or status >= 500 or not isinstance(error, ClearzoomError):
        _log.error("a job failed: %s", error, exc_info=error)
        return 500, _FAULT
    if "--memory" in str(error):
        return 400, Failure(
            code=error.code,
            message="that takes more memory than a job has here; ask for a smaller size, or for "
            "png, tif or jpg",
        )
    return status, Failure(code=error.code, message=shown([str(error)], folder, record)[0])


_STATUS: dict[type, int] = {
    MissingFileError: 404,
    UnreadablePictureError: 415,
    MissingExtraError: 415,
    SizeError: 400,
    InputError: 400,
    OutputError: 400,
    WeightsError: 500,
    ModelError: 400,
}


def status_of(kind: type[Exception]) -> int:
    """Give the status of a kind of error."""
    return next((_STATUS[each] for each in kind.__mro__ if each in _STATUS), 500)


def _pixels(width: int, height: int, source: Source) -> int:
    return width * height * source.frames


def _suffix_of(source: Source) -> str:
    """Of the input's own format, where that is written, with its frames."""
    moves = source.frames > 1
    suffixes = {each.name: each.suffixes[0] for each in FORMATS if each.animation or not moves}
    return suffixes.get(source.kind, ".webp" if moves else ".png")


def _result_name(record: Record, width: int, height: int) -> str:
    asked = record.request
    sized = (asked.width, asked.height, asked.long_edge, asked.megapixels, asked.print_size)
    by_scale = all(size is None for size in sized)
    size = f"x{asked.scale or 4:g}" if by_scale else f"{width}x{height}"
    return f"{stem_of(record.source_name)}-{size}{record.suffix}"


def _kind_of_pixels(job: Job) -> str:
    if job.plan.stages:
        return "inferred"
    return "original" if job.plan.resized_px == job.plan.source_px else "reduced"


def shown(texts: Sequence[str], folder: JobFolder, record: Record) -> list[str]:
    """Make texts for people elsewhere: names for paths, fields for options."""
    result = str(folder.result(record.suffix))
    names = {result: record.name or f"the result{record.suffix}", f"{folder.path}/": ""}
    if record.source is not None:
        names = {str(record.source): record.source_name} | names
    lines = []
    for text in texts:
        line = " ".join(text.split()).replace("'clearzoom models'", "/api/models")
        for path, name in names.items():
            line = line.replace(path, name)
        lines.append(_OPTION.sub(_field, line))
    return lines


def _field(found: re.Match[str]) -> str:
    return _FIELDS.get(found[1], found[1].replace("-", "_"))
