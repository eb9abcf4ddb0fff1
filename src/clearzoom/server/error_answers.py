"""Errors as answers: a status, and one JSON object with a stable code and a line of text."""

import logging
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel
from starlette.exceptions import HTTPException

from clearzoom.errors import (
    ClearzoomError,
    DeviceError,
    FullDiskError,
    InputError,
    MissingExtraError,
    MissingFileError,
    ModelError,
    StoreError,
    UnreadablePictureError,
    WeightsError,
    nearest,
)
from clearzoom.extras import install_command
from clearzoom.io.libvips_errors import is_full
from clearzoom.server.guards import GUARDS

STATUSES: dict[type[Exception], int] = {
    MissingFileError: 404,
    UnreadablePictureError: 415,
    MissingExtraError: 415,
    StoreError: 503,
    InputError: 400,
    WeightsError: 500,
    DeviceError: 500,
    ModelError: 400,
    FullDiskError: 507,
}
"""HTTP status by kind of error; a kind without one has that of the next kind above it, or 500."""
_CODES = {
    400: "request",
    401: "token",
    403: "forbidden",
    404: "missing",
    405: "method",
    408: "too-slow",
    409: "no-result",
    413: "too-large",
    415: "unreadable",
    422: "request",
    429: "too-many",
    499: "gone",
    501: "switched-off",
    503: "busy",
    507: "no-room",
}
ACCESS = "access"
"""The code of a 401 that a password of the picture's owner would change, and no token."""
_DESCRIPTIONS = {
    400: "there is no such size, model or combination, or it is over the limits",
    401: "the token is missing or wrong, or the picture needs a password",
    403: "the request comes from a page of another site, or the picture cannot be changed",
    404: "there is no such picture or job",
    408: "the body took too long",
    409: "the job has no result yet, or none at all",
    413: "the picture or its result is too large",
    415: "the file is no picture, or it is damaged",
    422: "there is no such field, or the value is not possible",
    429: "this client has too many requests or jobs at once",
    499: "the client went away",
    500: "the server failed; its log says why",
    501: "upscaling is switched off for this picture, or a file would lack its owner's watermark",
    503: "the server is busy, or the result takes too long; Retry-After says when to try again",
    507: "the server's disk is full",
}
_FIELDS = {
    "height_px": "height",
    "long_edge_px": "long_edge",
    "max_pixels": "the server's limit (its owner can)",
    "sheet": "print_size",
    "width_px": "width",
}
_FULL = 507
FULL_DISK = "the server's disk is full; try again later"
"""The message of every answer with 507."""
_log = logging.getLogger("clearzoom.server")


class Failure(BaseModel):
    """The body of every error answer. ``code`` is stable, ``message`` is for people."""

    code: str
    message: str


class RefusedError(Exception):
    """The server refuses a request.

    Args:
        status: status of the answer.
        message: what happened, and what to do.
        code: the stable code of the answer; None for that of the status.
        retry_after_s: seconds after which the client may try again.
    """

    def __init__(
        self,
        status: int,
        message: str,
        *,
        code: str | None = None,
        retry_after_s: int | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code or _CODES.get(status, "request")
        self.retry_after_s = retry_after_s


def field_of(setting: str) -> str:
    """Name the field of a request that a setting is; a limit of the server is called so.

    Args:
        setting: as the Python call spells it.
    """
    return _FIELDS.get(setting, setting)


def worded_for_clients(error: ClearzoomError) -> str:
    """Word an error in the fields of a request; the owner alone can install what is missing.

    Args:
        error: its message may name paths of this machine, which the caller replaces.
    """
    text = error.worded(field_of)
    if not isinstance(error, MissingExtraError):
        return text
    hint = f"clearzoom[{error.extra}], which the server's owner can install"
    return text.replace(install_command(error.extra), hint)


def failure(
    status: int, code: str, message: str, headers: dict[str, str] | None = None
) -> JSONResponse:
    """Make an error answer.

    Args:
        status: status of the answer.
        code: the stable code of ``Failure``.
        message: what happened, and what to do.
        headers: further headers.
    """
    content = Failure(code=code, message=message).model_dump()
    # The answer to a fault does not pass the middleware that adds the guards to other answers.
    headers = {"Cache-Control": "no-store"} | GUARDS | (headers or {})
    return JSONResponse(content, status, headers)


def error_responses(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Document the error answers of a route, for OpenAPI."""
    # The schema is written out, since FastAPI would give an event stream's errors its media type.
    content = {"application/json": {"schema": {"$ref": "#/components/schemas/Failure"}}}
    return {
        status: {"description": _DESCRIPTIONS[status], "content": content} for status in statuses
    }


def status_of(kind: type[Exception], statuses: Mapping[type[Exception], int] = STATUSES) -> int:
    """Return the HTTP status of a kind of error.

    Args:
        kind: class of the error.
        statuses: status by class.
    """
    return next((statuses[each] for each in kind.__mro__ if each in statuses), 500)


def add_failures(app: FastAPI, hidden: Sequence[Path] = ()) -> None:
    """Answer every error of an application with a ``Failure``.

    Args:
        app: the application.
        hidden: folders whose paths are left out of messages.
    """

    def expected(request: Request, error: Exception) -> JSONResponse:
        return _expected(error, hidden)

    app.add_exception_handler(RefusedError, _refused)
    app.add_exception_handler(ClearzoomError, expected)
    app.add_exception_handler(OSError, _no_room)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(Exception, _unexpected)


def _refused(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RefusedError)
    retry = {} if error.retry_after_s is None else {"Retry-After": str(error.retry_after_s)}
    return failure(error.status, error.code, str(error), retry)


def _expected(error: Exception, hidden: Sequence[Path]) -> JSONResponse:
    assert isinstance(error, ClearzoomError)
    status = status_of(type(error))
    if status == _FULL:
        return _full(error)
    if status >= 500:
        _log.error("%s: %s", error.code, error)
        return failure(status, error.code, "the server cannot do that now; its log says why")
    message = " ".join(worded_for_clients(error).split())
    for folder in hidden:
        message = message.replace(f"{folder}{os.sep}", "")
    return failure(status, error.code, message)


def _no_room(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, OSError)
    if not is_full(error):
        raise error
    return _full(error)


def _full(error: Exception) -> JSONResponse:
    _log.error("%s", error)
    return failure(_FULL, _CODES[_FULL], FULL_DISK)


def _invalid(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    faults = "; ".join(_words_of(each, request) for each in error.errors())
    return failure(422, "request", faults)


def _words_of(fault: Mapping[str, Any], request: Request) -> str:
    """Say what is wrong with a field of a request."""
    name = ".".join(str(part) for part in fault["loc"][1:])
    if fault["type"] == "extra_forbidden":
        return f"there is no field {name}{nearest(name, _fields_of(request))}"
    if fault["type"] == "value_error":  # raised by a validator of ours, whose message is complete
        return f"{name}: {fault['ctx']['error']}"
    return f"{name}: {fault['msg']}"


def _fields_of(request: Request) -> list[str]:
    """Return the fields of a request's route, as its schema states them."""
    paths = request.app.openapi()["paths"]
    operation = paths.get(request.scope["route"].path, {}).get(request.method.lower(), {})
    return [parameter["name"] for parameter in operation.get("parameters", ())]


def _http(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    headers = dict(error.headers or {})
    return failure(
        error.status_code, _CODES.get(error.status_code, "request"), error.detail, headers
    )


def _unexpected(request: Request, error: Exception) -> JSONResponse:
    # Starlette logs the error with its traceback, and raises it again for the server.
    return failure(500, "fault", "a fault of the server; its log says more")
