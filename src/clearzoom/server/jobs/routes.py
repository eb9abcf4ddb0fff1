"""Routes for programs: enlarge a picture, at once or as a job."""

import asyncio
import re
import shutil
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi import Path as InPath
from fastapi.responses import JSONResponse, StreamingResponse
from fastapi.sse import EventSourceResponse, ServerSentEvent
from pydantic import Field

from clearzoom.errors import ClearzoomError
from clearzoom.pipeline.fields import ConsistencyField, DenoiseField
from clearzoom.pipeline.request import EnlargeRequest
from clearzoom.server.error_answers import RefusedError, error_responses, failure
from clearzoom.server.gallery.library import Entry
from clearzoom.server.gallery.uploads import BodyReceiver
from clearzoom.server.jobs.planning import error_response
from clearzoom.server.jobs.queue import Jobs
from clearzoom.server.jobs.records import ENDED, Record
from clearzoom.server.jobs.runner import Work
from clearzoom.server.jobs.schema import (
    BODY,
    FILE,
    MEDIA_TYPES,
    EnlargeQuery,
    JobResponse,
    job_response,
)
from clearzoom.server.public_address import public_address
from clearzoom.server.tiles.service import client_of

_POLL_JOB_EVERY_S = 0.2
_POLL_CLIENT_EVERY_S = 0.1
_CHUNK_BYTES = 2**20
_RETRY_AFTER_S = 5
_FORBIDDEN_IN_NAMES = re.compile(r'[\x00-\x1f\x7f"\\/]')


def job_router(jobs: Jobs, find_picture: Callable[[str], Entry], bodies: BodyReceiver) -> APIRouter:
    """Make the routes.

    Args:
        jobs: the jobs, as this process sees them.
        find_picture: returns a served picture or an upload by its decoded identifier.
        bodies: receives pictures.
    """
    router = APIRouter(prefix="/api", tags=["enlarging"])
    settings = jobs.settings

    class ServerQuery(EnlargeQuery):
        model: str = Field(
            default=settings.model,
            max_length=100,
            pattern=r"^[A-Za-z0-9_-]+$",  # no file of this machine
            description="A model, as `GET /api/models` lists them.",
            examples=["photo"],
        )
        consistency: ConsistencyField = Field(
            default=settings.consistency,
            description=EnlargeRequest.model_fields["consistency"].description,
        )
        denoise: DenoiseField = Field(
            default=settings.denoise,
            description=EnlargeRequest.model_fields["denoise"].description,
        )

    @router.post(
        "/enlarge",
        response_class=Response,
        responses={
            200: FILE,
            202: {"model": JobResponse, "description": "The job that was accepted."},
            **error_responses(400, 401, 404, 408, 413, 415, 422, 429, 499, 500, 501, 503, 507),
        },
        openapi_extra=BODY,
    )
    async def enlarge(request: Request, query: Annotated[ServerQuery, Query()]) -> Response:
        """Enlarge a picture, as `clearzoom enlarge` does: the same fields, the same bytes.

        The body is the picture's file. The answer is the result's file; with `job=true` it is a
        job, whose result can be fetched when it is done.
        """
        work = await asyncio.to_thread(jobs.reserve, client_of(request), awaited=not query.job)
        record = work.record
        fields = set(EnlargeRequest.model_fields)
        if query.back_projection is not None and "consistency" not in query.model_fields_set:
            fields.remove("consistency")  # the request states it by its old name
        if query.pixel_art:  # the server's own defaults are those of networks
            fields -= {"model", "consistency", "denoise"} - query.model_fields_set
        record.request = EnlargeRequest(**query.model_dump(include=fields))
        record.suffix = f".{query.format}" if query.format else ""
        try:
            record.request.settings()  # refuses impossible sizes before the body is read
            entry = await _source(request, query, work)
            job = await asyncio.to_thread(jobs.runner.plan, work)
            if job.plan.stages and entry is not None and not entry.upscaling:
                raise RefusedError(501, "upscaling is switched off for this picture")
            if entry is not None:
                _check_watermark(entry, work.record.pixels)
            await asyncio.to_thread(jobs.runner.begin, work)
        except ClearzoomError as error:
            jobs.runner.discard(work)
            status, body = error_response(error, work.folder, record)
            return failure(status, body.code, body.message)
        except BaseException:
            jobs.runner.discard(work)
            raise
        if query.job:
            prefix = public_address(request.scope).prefix
            accepted = job_response(work.folder.identifier, record, prefix)
            headers = {"Location": accepted.links.itself, "Cache-Control": "no-store"}
            return JSONResponse(accepted.model_dump(by_alias=True), 202, headers)
        return await _awaited(request, jobs, work)

    async def _source(request: Request, query: EnlargeQuery, work: Work) -> Entry | None:
        record = work.record
        if query.picture is None:
            record.source, record.most_pixels = work.folder.input, settings.max_upload_pixels
            record.source_name = _plain(query.name or "picture")
            await bodies.receive(request, work.folder.input)
            return None
        await bodies.refuse(request, "send a body, or name a picture, but not both")
        entry = await asyncio.to_thread(find_picture, query.picture)
        if entry.is_copy:  # the cache may drop it before the job begins
            await asyncio.to_thread(shutil.copyfile, entry.path, work.folder.input)
            entry = replace(entry, path=work.folder.input)
        record.source, record.source_name = entry.path, _plain(query.name or entry.name)
        record.most_pixels = settings.max_upload_pixels if entry.is_upload else settings.max_pixels
        return entry

    async def find_job(
        identifier: Annotated[str, InPath(description="The job's identifier: 32 hex digits.")],
    ) -> tuple[str, Record]:
        record = await asyncio.to_thread(jobs.find, identifier)
        if record is None:
            raise RefusedError(404, "there is no such job; results are kept for an hour")
        return identifier, record

    Known = Annotated[tuple[str, Record], Depends(find_job)]  # noqa: N806 - a type

    @router.get("/jobs/{identifier}", responses=error_responses(401, 404, 422))
    async def job(request: Request, known: Known, response: Response) -> JobResponse:
        """Return the state and the progress of a job."""
        response.headers["Cache-Control"] = "no-store"
        return job_response(*known, public_address(request.scope).prefix)

    @router.get(
        "/jobs/{identifier}/events",
        response_class=EventSourceResponse,
        responses=error_responses(401, 404, 422),
    )
    async def events(request: Request, known: Known) -> AsyncIterator[ServerSentEvent]:
        """Follow a job: `progress` whenever it changes, at last `done`, `failed` or `cancelled`.

        The data of each event is the job, as `GET /api/jobs/{identifier}` returns it.
        """
        identifier, record = known
        sent, prefix = None, public_address(request.scope).prefix
        while True:
            if record != sent:
                event = record.state if record.state in ENDED else "progress"
                data = job_response(identifier, record, prefix).model_dump_json(by_alias=True)
                yield ServerSentEvent(event=event, raw_data=data)
                sent = record
            if record.state in ENDED:
                return
            await asyncio.sleep(_POLL_JOB_EVERY_S)
            later = await asyncio.to_thread(jobs.find, identifier)
            record = later or record.model_copy(update={"state": "cancelled"})

    @router.get(
        "/jobs/{identifier}/result",
        response_class=Response,
        responses={200: FILE, **error_responses(401, 404, 409, 422)},
    )
    async def result(known: Known) -> Response:
        """Return the file that a job made."""
        identifier, record = known
        if record.state != "done":
            why = f": {record.error.message}" if record.error else ""
            raise RefusedError(409, f"the job is {record.state}{why}")
        return await _file(jobs.folder(identifier).result(record.suffix), record)

    @router.delete("/jobs/{identifier}", status_code=204, responses=error_responses(401, 404, 422))
    async def cancel(known: Known) -> None:
        """Cancel a job; one that has ended is deleted, with its result."""
        await asyncio.to_thread(jobs.cancel, known[0])

    return router


def _check_watermark(entry: Entry, pixels: str) -> None:
    """Refuse a file of pixels that the picture's owner wants marked: a job draws no watermark."""
    watermark = entry.marks.watermark
    if watermark and watermark.is_on(pixels):
        raise RefusedError(
            501,
            "the owner of this picture has a watermark put on such pixels, and a whole file would "
            "have none; get them from /iiif instead",
        )


async def _awaited(request: Request, jobs: Jobs, work: Work) -> Response:
    """Wait for a result as long as the client does, and no longer than the limit."""
    loop = asyncio.get_running_loop()
    until = loop.time() + jobs.settings.request_s
    ended = asyncio.wrap_future(work.ended)
    try:
        while not ended.done():
            await asyncio.wait({ended}, timeout=_POLL_CLIENT_EVERY_S)
            if await request.is_disconnected():
                raise RefusedError(499, "the client went away")
            if loop.time() > until and not ended.done():
                raise RefusedError(
                    503,
                    "that takes too long for one answer; use job=true",
                    retry_after_s=_RETRY_AFTER_S,
                )
        record = ended.result()
        if record.state == "done":
            return await _file(work.folder.result(record.suffix), record)
        if record.error is None or record.state == "cancelled":
            raise RefusedError(503, "the server was stopped", retry_after_s=_RETRY_AFTER_S)
        return failure(record.status, record.error.code, record.error.message)
    finally:
        # A file that is open stays readable until it is sent.
        jobs.runner.discard(work)


async def _file(path: Path, record: Record) -> Response:
    try:
        file = await asyncio.to_thread(path.open, "rb")
    except OSError:
        raise RefusedError(404, "the result was deleted") from None

    async def chunks() -> AsyncIterator[bytes]:
        with file:
            while chunk := await asyncio.to_thread(file.read, _CHUNK_BYTES):
                yield chunk

    headers = {
        "Content-Length": str(record.bytes),
        "Content-Disposition": _attachment(record.name),
        "Cache-Control": "no-store",
        "X-Clearzoom-Pixels": record.pixels,
    }
    if record.model is not None:
        headers["X-Clearzoom-Model"] = record.model
    if record.notes:
        headers["X-Clearzoom-Notes"] = "; ".join(_printable(record.notes))
    return StreamingResponse(chunks(), headers=headers, media_type=MEDIA_TYPES[record.suffix])


def _plain(name: str) -> str:
    """Reduce a client's file name to its last part, without what a header cannot hold."""
    last = name.replace("\\", "/").rpartition("/")[2]
    return _FORBIDDEN_IN_NAMES.sub("", last).encode("utf-8", "replace").decode() or "picture"


def _attachment(name: str) -> str:
    plain = name.encode("ascii", "replace").decode().replace("?", "_")
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"


def _printable(texts: list[str]) -> Iterator[str]:
    for text in texts:
        line = text.encode("ascii", "replace").decode()
        yield "".join(letter if letter.isprintable() else "?" for letter in line)
