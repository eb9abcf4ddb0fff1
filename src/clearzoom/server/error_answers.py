"""Errors as answers: a status, and one JSON object with a stable code and a line of text."""

import logging
import os
from collections.abc import Sequence
from http import HTTPStatus
from pathlib import Path

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel
from starlette.exceptions import HTTPException

from clearzoom.errors import (
    ClearzoomError,
    ConfigError,
    InputError,
    MissingFileError,
    ModelError,
    SizeError,
    UnknownModelError,
    UnreadablePictureError,
    WeightsError,
)
from clearzoom.io.libvips_errors import is_full
from clearzoom.server.guards import GUARDS

_STATUS: dict[type[ClearzoomError], HTTPStatus] = {
    MissingFileError: HTTPStatus.NOT_FOUND,
    UnreadablePictureError: HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    SizeError: HTTPStatus.BAD_REQUEST,
    InputError: HTTPStatus.BAD_REQUEST,
    UnknownModelError: HTTPStatus.BAD_REQUEST,
    WeightsError: HTTPStatus.INTERNAL_SERVER_ERROR,
    ModelError: HTTPStatus.BAD_REQUEST,
    ConfigError: HTTPStatus.INTERNAL_SERVER_ERROR,
}
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
_log = logging.getLogger("clearzoom.server")


class Failure(BaseModel):
    """What every error answer says. ``code`` is stable, ``message`` is for people."""

    code: str
    message: str


class RefusedError(Exception):
    """An answer other than success that the server decided on.

    Args:
        status: of HTTP.
        message: what happened, and what to do.
        retry_after_s: when to come again.
    """

    def __init__(self, status: int, message: str, *, retry_after_s: int | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.retry_after_s = retry_after_s


def failure(
    status: int, code: str, message: str, headers: dict[str, str] | None = None
) -> JSONResponse:
    """Make an error answer."""
    content = Failure(code=code, message=message).model_dump()
    # The guards too: the answers to faults pass by what adds them to others.
    said = {"Cache-Control": "no-store"} | GUARDS | (headers or {})
    return JSONResponse(content, status, said)


def add_failures(app: FastAPI, hidden: Sequence[Path] = ()) -> None:
    """Answer every error in the one form.

    Args:
        app: whose.
        hidden: folders whose paths are nobody's business.
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
    return failure(error.status, _CODES.get(error.status, "request"), str(error), retry)


def _expected(error: Exception, hidden: Sequence[Path]) -> JSONResponse:
    assert isinstance(error, ClearzoomError)
    status = next(
        (_STATUS[kind] for kind in type(error).__mro__ if kind in _STATUS),
        HTTPStatus.INTERNAL_SERVER_ERROR,
    )
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        _log.error("%s: %s", error.code, error)
        return failure(status, error.code, "the server cannot do that now; its log says why")
    said = " ".join(str(error).split())
    for folder in hidden:
        said = said.replace(f"{folder}{os.sep}", "")
    return failure(status, error.code, said)


def _no_room(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, OSError)
    if not is_full(error):
        raise error
    _log.error("%s: %s", request.url.path, error)
    return failure(507, _CODES[507], "the server's disk is full; come again later")


def _invalid(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    said = "; ".join(
        f"{'.'.join(str(part) for part in each['loc'][1:])}: {each['msg']}"
        for each in error.errors()
    )
    return failure(422, "request", said)


def _http(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    headers = dict(error.headers or {})
    return failure(
        error.status_code, _CODES.get(error.status_code, "request"), error.detail, headers
    )


def _unexpected(request: Request, error: Exception) -> JSONResponse:
    # Starlette logs it with its traceback, and raises it again for the server.
    return failure(500, "fault", "a fault of the server; its log says more")
