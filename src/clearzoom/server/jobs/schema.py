"""What the routes of enlargements take and give, as their schema says it."""

from typing import Any, Literal

from pydantic import BaseModel, Field

from clearzoom.pipeline.request import EnlargeRequest
from clearzoom.server.error_answers import Failure
from clearzoom.server.jobs.planning import MOST_AWAITED_PIXELS
from clearzoom.server.jobs.records import Record, State

MEDIA_TYPES = {
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".webp": "image/webp",
    ".tif": "image/tiff",
    ".avif": "image/avif",
    ".gif": "image/gif",
}


class Links(BaseModel):
    """Where a job's parts are."""

    itself: str = Field(alias="self", examples=["/api/jobs/0f3c…"])
    events: str
    result: str


class JobSaid(BaseModel):
    """A job, and how far it is."""

    id: str = Field(description="32 hex digits; who knows it may read and cancel the job.")
    state: State
    done: int = Field(description="Tiles; 0 of 0 until the first is made.")
    total: int
    width: int = Field(description="px, of the result.")
    height: int
    name: str = Field(description="Of the result.", examples=["cat-x4.png"])
    bytes: int | None = Field(description="Of the result, once it is there.")
    notes: list[str] = Field(description="What will not be as it is in the input.")
    error: Failure | None
    links: Links


class Asked(EnlargeRequest):
    """The query of an enlargement."""

    format: Literal["png", "jpg", "webp", "tif", "avif", "gif"] | None = Field(
        default=None, description="Of the result; the input's where it can be written, else png."
    )
    picture: str | None = Field(
        default=None,
        max_length=1024,
        description="A served picture or an upload, in place of a body.",
        examples=["cat.png"],
    )
    name: str | None = Field(
        default=None,
        max_length=200,
        description="The input's file name; the result's is made of it.",
        examples=["holiday.jpg"],
    )
    job: bool = Field(
        default=False,
        description=f"Answer at once with a job; above {MOST_AWAITED_PIXELS // 10**6} million px "
        "there is no other way.",
    )
    token: str | None = Field(default=None, description="Where the server asks for one.")


_TEXTS = {
    400: "no such size, model or combination",
    401: "a token is asked for",
    404: "no such picture or job",
    408: "the body took too long",
    409: "the job has no result yet, or none at all",
    413: "the picture or its result is too large",
    415: "the body is no picture, or damaged",
    422: "no such field, or no such value",
    429: "too many jobs of one client at once",
    499: "the client went away",
    500: "a fault of the server; its log says more",
    501: "upscaling is switched off for this picture",
    507: "the server's disk is full",
    503: "too much to do, or the result took too long: Retry-After says when to come again",
}


def answers(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Document the error answers of a route."""
    # Said in full: FastAPI would document an error of an event stream as one.
    content = {"application/json": {"schema": {"$ref": "#/components/schemas/Failure"}}}
    return {status: {"description": _TEXTS[status], "content": content} for status in statuses}


BODY = {
    "requestBody": {
        "description": "The picture's file, unless `picture` names one.",
        "required": False,
        "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
    }
}
FILE: dict[str, Any] = {
    "description": "The file.",
    "content": {
        kind: {"schema": {"type": "string", "format": "binary"}} for kind in MEDIA_TYPES.values()
    },
    "headers": {
        "X-Clearzoom-Pixels": {
            "description": "inferred, reduced or original.",
            "schema": {"type": "string"},
        },
        "X-Clearzoom-Model": {
            "description": "The networks, and the SHA-256 of each; where px are inferred.",
            "schema": {"type": "string"},
        },
        "X-Clearzoom-Notes": {
            "description": "What is not as it is in the input.",
            "schema": {"type": "string"},
        },
        "Content-Disposition": {"description": "The name.", "schema": {"type": "string"}},
    },
}


def job_said(identifier: str, record: Record) -> JobSaid:
    """Say what all may know of a job.

    Args:
        identifier: of the job.
        record: what is known; the job was accepted.
    """
    assert record.state != "receiving"
    here = f"/api/jobs/{identifier}"
    said = record.model_dump(include=set(JobSaid.model_fields) - {"state", "error"})
    return JobSaid(
        id=identifier,
        state=record.state,
        error=record.error,
        links=Links.model_validate(
            {"self": here, "events": f"{here}/events", "result": f"{here}/result"}
        ),
        **said,
    )
