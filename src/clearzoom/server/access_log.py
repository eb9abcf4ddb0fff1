"""The log of requests: a JSON object a line, in a file or on standard output."""

import json
import logging
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from logging.handlers import QueueHandler, QueueListener, WatchedFileHandler
from pathlib import Path
from queue import Full, Queue
from urllib.parse import unquote_plus

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from clearzoom.errors import OutputError

STANDARD_OUTPUT = Path("-")
_MOST_WAITING = 10_000
"""Lines that wait for a slow disk; further ones are left out."""
_LONGEST = 1000
"""Characters of a text that the client chose."""
_SECRET = "token"
_COMPLAINS_EVERY_S = 30.0
_log = logging.getLogger("clearzoom.server")


class AccessLog:
    """Middleware that writes a line for each request, after its answer.

    It stands inside of the middleware that finds the client, and outside of all that answers. A
    thread writes, so that no answer waits for the disk, or fails because it is full.

    Args:
        app: the application.
        lines: takes the lines.
    """

    def __init__(self, app: ASGIApp, lines: "Lines") -> None:
        self._app, self._lines = app, lines

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one connection."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        at, began = datetime.now(UTC), time.perf_counter()
        status, sent_bytes, pixels = None, 0, None

        async def observed(message: Message) -> None:
            nonlocal status, sent_bytes, pixels
            if message["type"] == "http.response.start":
                status = message["status"]
                pixels = Headers(raw=message.get("headers", [])).get("x-clearzoom-pixels")
            else:
                sent_bytes += len(message.get("body", b""))
            await send(message)

        try:
            await self._app(scope, receive, observed)
        except Exception:
            status = status or 500
            raise
        finally:
            headers = Headers(scope=scope)
            record = {
                "time": at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
                "client": scope["client"][0] if scope.get("client") else None,
                "method": scope["method"],
                "path": _cut(without_tokens(_address(scope))),
                "status": status,
                "bytes": sent_bytes,
                "seconds": round(time.perf_counter() - began, 4),
                "referer": _cut(without_tokens(headers.get("referer"))),
                "user_agent": _cut(headers.get("user-agent")),
                "pixels": pixels,
            }
            self._lines.add(json.dumps(record))  # in ASCII, so no control character is left


class Lines:
    """Lines on their way to a file, which several processes may append to.

    Args:
        target: the file, or ``-`` for standard output. A file that was moved is opened anew.
    """

    def __init__(self, target: Path) -> None:
        self._target = target
        self._waiting = _Waiting(Queue(_MOST_WAITING))

    def add(self, line: str) -> None:
        """Add a line; where too many wait already, it is left out."""
        self._waiting.handle(logging.makeLogRecord({"msg": line}))

    @contextmanager
    def written(self) -> Iterator[None]:
        """Write the lines in a thread as they come; at the end those that are left."""
        handler = _Stream(sys.stdout) if self._target == STANDARD_OUTPUT else _File(self._target)
        listener = QueueListener(self._waiting.queue, handler)
        listener.start()
        try:
            yield
        finally:
            with suppress(Full):
                listener.stop()
            with suppress(OSError):  # a full disk
                handler.close()


def check_access_log(target: Path) -> None:
    """Check before the server starts that lines can be written.

    Raises:
        OutputError: the file cannot be written.
    """
    if target == STANDARD_OUTPUT:
        return
    try:
        target.open("a").close()
    except OSError as error:
        raise OutputError(
            f"cannot write the access log {target}: {error.strerror}; name another file"
        ) from error


def without_tokens(address: str | None) -> str | None:
    """Remove from an address what its query states as a token.

    Example:
        >>> without_tokens("/iiif/3/a.tif/info.json?token=secret&page=2")
        '/iiif/3/a.tif/info.json?page=2'
    """
    if address is None:
        return None
    path, _, query = address.partition("?")
    names = ((pair, unquote_plus(pair.partition("=")[0])) for pair in query.split("&"))
    left = "&".join(pair for pair, name in names if not name.lower().endswith(_SECRET))
    return f"{path}?{left}" if left else path


def _address(scope: Scope) -> str:
    path = scope.get("raw_path") or scope["path"].encode()
    query = scope["query_string"]
    whole: bytes = path.partition(b"?")[0] + (b"?" + query if query else b"")
    return whole.decode("latin-1")


def _cut(text: str | None) -> str | None:
    return text[:_LONGEST] if text else None


class _Patient(logging.Handler):
    """Loses a line that cannot be written, and says so now and then in the server's own log."""

    _quiet_until_s = 0.0

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802
        """Complain about the exception that is being handled."""
        if time.monotonic() >= self._quiet_until_s:
            self._quiet_until_s = time.monotonic() + _COMPLAINS_EVERY_S
            error = sys.exc_info()[1]
            reason = "its disk is too slow" if isinstance(error, Full) else error
            _log.warning("the access log cannot be written: %s", reason)


class _Waiting(_Patient, QueueHandler):
    pass


class _Stream(_Patient, logging.StreamHandler):  # type: ignore[type-arg]
    pass


class _File(_Patient, WatchedFileHandler):
    def emit(self, record: logging.LogRecord) -> None:
        """Write a line; the file may have been moved, and its folder with it."""
        try:
            super().emit(record)
        except OSError:
            self.handleError(record)
