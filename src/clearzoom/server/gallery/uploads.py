"""Write bodies of requests to files: a few at once, and none that stalls."""

import asyncio
from collections import Counter
from collections.abc import Callable
from io import RawIOBase
from pathlib import Path

from fastapi import Request
from starlette.requests import ClientDisconnect

from clearzoom.io.libvips_errors import is_full
from clearzoom.server.error_answers import RefusedError
from clearzoom.server.tiles.service import client_of

_MOST_IN_ALL, _MOST_OF_CLIENT = 16, 4
_WITHIN_S, _STALLED_S = 600.0, 20.0
_RETRY_AFTER_S = 5
_WRAPPED = ("multipart/form-data", "application/json")
"""Kinds of bodies that hold a file among other things, if at all, and never are one. curl calls
any body a form of the other kind."""


class BodyReceiver:
    """Receives the bodies of requests to one worker process.

    Args:
        most_bytes: bound of one body.
        make_room: deletes what the server can do without, where the disk is full.
    """

    def __init__(self, most_bytes: int, make_room: Callable[[], None] = lambda: None) -> None:
        self._most_bytes, self._make_room = most_bytes, make_room
        self._receiving: Counter[str] = Counter()

    async def receive(self, request: Request, target: Path) -> None:
        """Write a request's body to a file.

        Args:
            request: the request; its body is read whatever length it states.
            target: a new file, which the caller deletes.

        Raises:
            RefusedError: 413 where the body is too long, 400 where it is empty, 415 where it is
                stated to be a form or JSON, 408 where it stalls or takes too long, 429 and 503
                where too many arrive at once.
        """
        kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind in _WRAPPED:
            raise RefusedError(
                415,
                f"the body is {kind}, not a file; send the file's bytes alone, as by curl -X "
                "POST -T FILE ADDRESS or requests.post(ADDRESS, data=open(FILE, 'rb')), and fields "
                "in the address",
            )
        client = client_of(request)
        too_large = RefusedError(413, f"the file is larger than {self._most_bytes:,} bytes")
        stated = request.headers.get("content-length", "")
        if stated.isdecimal() and int(stated) > self._most_bytes:
            raise too_large
        if self._receiving[client] >= _MOST_OF_CLIENT:
            raise RefusedError(429, "send fewer files at once", retry_after_s=_RETRY_AFTER_S)
        if self._receiving.total() >= _MOST_IN_ALL:
            raise RefusedError(503, "too much to do; try again later", retry_after_s=_RETRY_AFTER_S)
        self._receiving[client] += 1
        try:
            async with asyncio.timeout(_WITHIN_S):
                size = await self._written(request, target, too_large)
        except TimeoutError:
            raise RefusedError(408, "the body took too long; send it faster") from None
        except ClientDisconnect:
            raise RefusedError(499, "the client went away") from None
        finally:
            self._receiving[client] -= 1
            self._receiving += Counter()  # drops the clients whose count is zero
        if not size:
            raise RefusedError(400, "the request has no body; send the file's bytes")

    async def refuse(self, request: Request, why: str) -> None:
        """Refuse a body, however long it is, and one that never comes.

        Args:
            request: the request.
            why: what to do.

        Raises:
            RefusedError: 400 where there is a body, 408 where none comes to an end.
        """
        try:
            async with asyncio.timeout(_STALLED_S):
                async for chunk in request.stream():
                    if chunk:
                        raise RefusedError(400, why)
        except TimeoutError:
            raise RefusedError(408, "the body took too long; send none") from None
        except ClientDisconnect:
            raise RefusedError(499, "the client went away") from None

    async def _written(self, request: Request, target: Path, too_large: RefusedError) -> int:
        size, chunks = 0, request.stream()
        with target.open("wb", buffering=0) as file:
            while True:
                async with asyncio.timeout(_STALLED_S):
                    chunk = await anext(chunks, None)
                if chunk is None:
                    return size
                size += len(chunk)
                if size > self._most_bytes:
                    raise too_large
                await asyncio.to_thread(self._append, file, chunk)

    def _append(self, file: RawIOBase, chunk: bytes) -> None:
        """Write a chunk, in parts if need be; a full disk gets a second try with more room."""
        left, tried = memoryview(chunk), False
        while left:
            try:
                left = left[file.write(left) :]
            except OSError as error:
                if tried or not is_full(error):
                    raise
                tried = True
                self._make_room()
