"""Plan a job within the server's limits, and word its errors for a client."""

import logging
from collections.abc import Sequence
from dataclasses import replace

from clearzoom.core.process_memory import resident_bytes
from clearzoom.engines import Device
from clearzoom.engines.chain import chain_sha256, chain_text
from clearzoom.errors import (
    ClearzoomError,
    FullDiskError,
    OutputError,
    SizeError,
    worded,
)
from clearzoom.io.formats import format_of, suffix_for
from clearzoom.io.names import stem_of
from clearzoom.io.reading import Source, open_picture
from clearzoom.pipeline.job import Job, networks_of, plan_job
from clearzoom.server.error_answers import (
    FULL_DISK,
    STATUSES,
    Failure,
    RefusedError,
    field_of,
    status_of,
)
from clearzoom.server.jobs.records import JobFolder, Record
from clearzoom.server.memory import TILE_BYTES, Memory
from clearzoom.server.opening import opening_bytes

MOST_AWAITED_PIXELS = 25_000_000
"""The largest result that a request may wait for."""
JOB_STATUSES = STATUSES | {OutputError: 400}
"""HTTP status by kind of error: a job's request names the format of its result, too."""

_MEMORY_BYTES = 1_000_000_000
"""Memory for what an encoder holds at once; the rest is in files."""
_BYTES_OF_UNSTREAMED = 8
"""For each px and channel, in an encoder that takes all px at once."""
_FAULT = Failure(code="fault", message="the server cannot do that now; its log says why")
_FULL_STATUS, _FULL = STATUSES[FullDiskError], Failure(code="no-room", message=FULL_DISK)
_log = logging.getLogger("clearzoom.server")


def plan(
    folder: JobFolder, record: Record, most_result_pixels: int, memory: Memory, device: Device
) -> Job:
    """Read the picture's header, and plan its enlargement; nothing is computed.

    Args:
        folder: folder of the job.
        record: states the request, the source, its name and limit; name, size and notes of the
            result are set in it.
        most_result_pixels: bound of the result, all frames together.
        memory: what all jobs may take together.
        device: what networks run on.

    Raises:
        RefusedError: 413 where the picture or its result is too large for this server, 400 where
            there is too little memory.
        ClearzoomError: as ``plan_job`` raises it.
    """
    assert record.source is not None
    try:
        source = open_picture(record.source, max_pixels=record.most_pixels)
    except SizeError:
        source = None
    if source is None or _pixels(source.width_px, source.height_px, source) > record.most_pixels:
        limit = f"{record.most_pixels:,}"
        raise RefusedError(413, f"the picture has more than {limit} px, this server's limit")
    record.suffix = record.suffix or suffix_for(source.kind, animated=source.frames > 1)
    most_bytes = min(_MEMORY_BYTES, memory.limit_bytes)
    settings = replace(
        record.request.settings(),
        device=device,
        max_pixels=record.most_pixels,
        # Memory of an animation is measured of the whole process, with what it holds already.
        memory_bytes=most_bytes + (resident_bytes() if source.frames > 1 else 0),
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
    memory.check(job_bytes(job))
    record.width, record.height = width, height
    record.name = _result_name(record, width, height)
    record.notes = redact_paths(job.notes, folder, record)
    record.pixels = _kind_of_pixels(job)
    return job


def job_bytes(job: Job) -> int:
    """Estimate the memory that a job takes at its peak; pictures themselves are in files."""
    source, kind = job.source, format_of(job.target)
    width, height = job.plan.result_px
    need = TILE_BYTES + opening_bytes(source)
    if source.frames > 1 or not kind.streams:
        need += width * height * source.channels * _BYTES_OF_UNSTREAMED
    return need


def model_of(job: Job) -> str | None:
    """Name the networks of a job, with their hashes; None where nothing is inferred.

    Raises:
        ModelError: the weights cannot be loaded with the job's settings.
    """
    networks = networks_of(job)
    if not networks:
        return None
    return f"{chain_text(networks)}; sha256={chain_sha256(networks)}"


def error_response(error: Exception, folder: JobFolder, record: Record) -> tuple[int, Failure]:
    """Word an error for a client, without paths of this machine; log what the client must not see.

    Args:
        error: an error of planning or running a job.
        folder: folder of the job.
        record: record of the job.

    Returns:
        The HTTP status and the body of the answer.
    """
    if isinstance(error, RefusedError):
        return error.status, Failure(code="too-large", message=str(error))
    if isinstance(error, FullDiskError):
        _log.error("a job failed: %s", error)
        return _FULL_STATUS, _FULL
    # The cause is an error of an encoder or of the system, which no other request would avoid.
    internal = isinstance(error, OutputError) and error.__cause__ is not None
    status = status_of(type(error), JOB_STATUSES)
    if internal or status >= 500 or not isinstance(error, ClearzoomError):
        _log.error("a job failed: %s", error, exc_info=error)
        return 500, _FAULT
    if error.setting == "memory_bytes":
        return 400, Failure(
            code=error.code,
            message="that takes more memory than a job has here; ask for a smaller size, or for "
            "png, tif or jpg",
        )
    return status, Failure(code=error.code, message=redact_paths([str(error)], folder, record)[0])


def _pixels(width: int, height: int, source: Source) -> int:
    return width * height * source.frames


def _result_name(record: Record, width: int, height: int) -> str:
    request = record.request
    sizes = (
        request.width,
        request.height,
        request.long_edge,
        request.megapixels,
        request.print_size,
    )
    by_scale = all(size is None for size in sizes)
    size = f"x{request.scale or 4:g}" if by_scale else f"{width}x{height}"
    return f"{stem_of(record.source_name)}-{size}{record.suffix}"


def _kind_of_pixels(job: Job) -> str:
    if job.plan.stages:
        return "inferred"
    if job.plan.resized_px == job.plan.source_px:
        return "original"
    return "interpolated" if job.plan.resampling == "nearest" else "reduced"


def redact_paths(texts: Sequence[str], folder: JobFolder, record: Record) -> list[str]:
    """Replace the paths of a job by names, and settings by fields of a request.

    Args:
        texts: notes or messages, a line each.
        folder: folder of the job.
        record: record of the job.
    """
    result = str(folder.result(record.suffix))
    names = {result: record.name or f"the result{record.suffix}", f"{folder.path}/": ""}
    if record.source is not None:
        names = {str(record.source): record.source_name} | names
    lines = []
    for text in texts:
        line = " ".join(worded(text, field_of).split())
        for path, name in names.items():
            line = line.replace(path, name)
        lines.append(line)
    return lines
