"""The schema of the routes for enlargements: their query, their answers, a job."""

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
    """Addresses of a job."""

    itself: str = Field(alias="self", examples=["/api/jobs/0f3c…"])
    events: str
    result: str


class JobResponse(BaseModel):
    """A job and its progress."""

    id: str = Field(description="32 hex digits; whoever knows them may read and cancel the job.")
    state: State
    done: int = Field(description="Tiles that are done; 0 of 0 until the first one is.")
    total: int
    width: int = Field(description="Width of the result, px.")
    height: int
    name: str = Field(description="Name of the result.", examples=["cat-x4.png"])
    bytes: int | None = Field(description="Size of the result, once it is there.")
    notes: list[str] = Field(description="What the result does not keep of the input.")
    error: Failure | None
    links: Links


class EnlargeQuery(EnlargeRequest):
    """The query of an enlargement."""

    format: Literal["png", "jpg", "webp", "tif", "avif", "gif"] | None = Field(
        default=None,
        description="Format of the result; the input's own where it can be written, else png.",
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
        description="The input's file name, from which the result's is made.",
        examples=["holiday.jpg"],
    )
    job: bool = Field(
        default=False,
        description="Answer at once with a job, which is the only way above "
        f"{MOST_AWAITED_PIXELS // 10**6} million px.",
    )
    token: str | None = Field(default=None, description="The token, where the server needs one.")


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
            "description": "What the pixels are: inferred, reduced or original.",
            "schema": {"type": "string"},
        },
        "X-Clearzoom-Model": {
            "description": "The networks and the SHA-256 of each, where pixels are inferred.",
            "schema": {"type": "string"},
        },
        "X-Clearzoom-Notes": {
            "description": "What the result does not keep of the input.",
            "schema": {"type": "string"},
        },
        "Content-Disposition": {
            "description": "The name of the result.",
            "schema": {"type": "string"},
        },
    },
}


def job_response(identifier: str, record: Record, prefix: str) -> JobResponse:
    """Describe a job as far as everybody may know.

    Args:
        identifier: the job's identifier.
        record: the record of a job that was accepted.
        prefix: path under which clients see this server.
    """
    assert record.state != "receiving"
    here = f"{prefix}/api/jobs/{identifier}"
    fields = record.model_dump(include=set(JobResponse.model_fields) - {"state", "error"})
    return JobResponse(
        id=identifier,
        state=record.state,
        error=record.error,
        links=Links.model_validate(
            {"self": here, "events": f"{here}/events", "result": f"{here}/result"}
        ),
        **fields,
    )
