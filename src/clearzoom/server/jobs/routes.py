"""Enlargements for programs: a picture in, a file out, at once or as a job."""

import asyncio
import re
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi import Path as InPath
from fastapi.responses import JSONResponse, StreamingResponse
from fastapi.sse import EventSourceResponse, ServerSentEvent
from pydantic import Field

from clearzoom.errors import ClearzoomError
from clearzoom.pipeline.request import ConsistencyField, DenoiseField, EnlargeRequest
from clearzoom.server.error_answers import RefusedError, failure
from clearzoom.server.gallery.library import Entry
from clearzoom.server.gallery.uploads import Bodies
from clearzoom.server.jobs.planning import told
from clearzoom.server.jobs.queue import Jobs, Work
from clearzoom.server.jobs.records import ENDED, Record
from clearzoom.server.jobs.schema import (
    BODY,
    FILE,
    MEDIA_TYPES,
    Asked,
    JobSaid,
    answers,
    job_said,
)
from clearzoom.server.tiles.service import client_of

_LOOK_EVERY_S = 0.2
_GONE_EVERY_S = 0.1
_CHUNK_BYTES = 2**20
_RETRY_AFTER_S = 5
_FORBIDDEN_IN_NAMES = re.compile(r'[\x00-\x1f\x7f"\\/]')


def job_router(jobs: Jobs, find_picture: Callable[[str], Entry], bodies: Bodies) -> APIRouter:
    """Make the routes.

    Args:
        jobs: of this process.
        find_picture: gives a served picture or an upload by its decoded identifier.
        bodies: receives pictures.
    """
    router = APIRouter(prefix="/api", tags=["enlarging"])
    settings = jobs.settings

    class Query_(Asked):  # noqa: N801 - only its fields are seen
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
            202: {"model": JobSaid, "description": "The job that was accepted."},
            **answers(400, 401, 404, 408, 413, 415, 422, 429, 499, 500, 501, 503, 507),
        },
        openapi_extra=BODY,
    )
    async def enlarge(request: Request, query: Annotated[Query_, Query()]) -> Response:
        """Enlarge a picture, as `clearzoom enlarge` does: the same fields, the same bytes.

        The body is the picture's file. The answer is the result's file; with `job=true` it is a
        job, whose result is fetched when it is done.
        """
        work = await asyncio.to_thread(jobs.reserve, client_of(request), awaited=not query.job)
        record = work.record
        fields = set(EnlargeRequest.model_fields)
        if query.back_projection is not None and "consistency" not in query.model_fields_set:
            fields.remove("consistency")  # what is asked for by its old name is no default
        record.request = EnlargeRequest(**query.model_dump(include=fields))
        record.suffix = f".{query.format}" if query.format else ""
        try:
            record.request.settings()  # sizes that are none are refused before the body is read
            entry = await _source(request, query, work)
            job = await asyncio.to_thread(jobs.plan, work)
            if job.plan.stages and entry is not None and not entry.upscaling:
                raise RefusedError(501, "upscaling is switched off for this picture")
            await asyncio.to_thread(jobs.begin, work)
        except ClearzoomError as error:
            jobs.discard(work)
            status, why = told(error, work.folder, record)
            return failure(status, why.code, why.message)
        except BaseException:
            jobs.discard(work)
            raise
        if query.job:
            said = job_said(work.folder.identifier, record)
            headers = {"Location": said.links.itself, "Cache-Control": "no-store"}
            return JSONResponse(said.model_dump(by_alias=True), 202, headers)
        return await _awaited(request, jobs, work)

    async def _source(request: Request, query: Asked, work: Work) -> Entry | None:
        record = work.record
        if query.picture is None:
            record.source, record.most_pixels = work.folder.input, settings.max_upload_pixels
            record.source_name = _plain(query.name or "picture")
            await bodies.receive(request, work.folder.input)
            return None
        async for chunk in request.stream():
            if chunk:
                raise RefusedError(400, "send a body, or name a picture, but not both")
        entry = await asyncio.to_thread(find_picture, query.picture)
        record.source, record.source_name = entry.path, _plain(query.name or entry.name)
        record.most_pixels = settings.max_upload_pixels if entry.is_upload else settings.max_pixels
        return entry

    async def known(
        identifier: Annotated[str, InPath(description="Of a job: 32 hex digits.")],
    ) -> tuple[str, Record]:
        record = await asyncio.to_thread(jobs.find, identifier)
        if record is None:
            raise RefusedError(404, "there is no such job; results are kept for an hour")
        return identifier, record

    Known = Annotated[tuple[str, Record], Depends(known)]  # noqa: N806 - a type

    @router.get("/jobs/{identifier}", responses=answers(401, 404, 422))
    async def job(found: Known, response: Response) -> JobSaid:
        """Say how far a job is."""
        response.headers["Cache-Control"] = "no-store"
        return job_said(*found)

    @router.get(
        "/jobs/{identifier}/events",
        response_class=EventSourceResponse,
        responses=answers(401, 404, 422),
    )
    async def events(found: Known) -> AsyncIterator[ServerSentEvent]:
        """Follow a job: `progress` whenever it changes, at last `done`, `failed` or `cancelled`.

        The data of each event is the job, as `GET /api/jobs/{identifier}` gives it.
        """
        identifier, record = found
        shown = None
        while True:
            if record != shown:
                event = record.state if record.state in ENDED else "progress"
                said = job_said(identifier, record).model_dump_json(by_alias=True)
                yield ServerSentEvent(event=event, raw_data=said)
                shown = record
            if record.state in ENDED:
                return
            await asyncio.sleep(_LOOK_EVERY_S)
            later = await asyncio.to_thread(jobs.find, identifier)
            record = later or record.model_copy(update={"state": "cancelled"})

    @router.get(
        "/jobs/{identifier}/result",
        response_class=Response,
        responses={200: FILE, **answers(401, 404, 409, 422)},
    )
    async def result(found: Known) -> Response:
        """Give the file that a job made."""
        identifier, record = found
        if record.state != "done":
            why = f": {record.error.message}" if record.error else ""
            raise RefusedError(409, f"the job is {record.state}{why}")
        return await _file(jobs.folder(identifier).result(record.suffix), record)

    @router.delete("/jobs/{identifier}", status_code=204, responses=answers(401, 404, 422))
    async def cancel(found: Known) -> None:
        """Cancel a job; one that has ended is taken away, with its result."""
        await asyncio.to_thread(jobs.cancel, found[0])

    return router


async def _awaited(request: Request, jobs: Jobs, work: Work) -> Response:
    """Wait for a result as long as the client does, and no longer than the limit."""
    loop = asyncio.get_running_loop()
    until = loop.time() + jobs.settings.request_s
    ended = asyncio.wrap_future(work.ended)
    try:
        while not ended.done():
            await asyncio.wait({ended}, timeout=_GONE_EVERY_S)
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
        jobs.discard(work)


async def _file(path: Path, record: Record) -> Response:
    try:
        file = await asyncio.to_thread(path.open, "rb")
    except OSError:
        raise RefusedError(404, "the result was taken away") from None

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
    """A foreign name that is no path, and fits into a header."""
    last = name.replace("\\", "/").rpartition("/")[2]
    return _FORBIDDEN_IN_NAMES.sub("", last).encode("utf-8", "replace").decode() or "picture"


def _attachment(name: str) -> str:
    plain = name.encode("ascii", "replace").decode().replace("?", "_")
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"


def _printable(texts: list[str]) -> Iterator[str]:
    for text in texts:
        line = text.encode("ascii", "replace").decode()
        yield "".join(letter if letter.isprintable() else "?" for letter in line)
