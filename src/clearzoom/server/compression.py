"""Compressed answers: text, JSON, SVG, XML, JavaScript, CSS and WebAssembly, by Accept-Encoding."""

import asyncio
import gzip
import hashlib
from contextlib import AsyncExitStack

import brotli
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from clearzoom.server.iiif.image_request import MEDIA_TYPES
from clearzoom.server.pieces import send_in_pieces
from clearzoom.server.tiles.cache import Cache

_CODINGS = ("br", "gzip")
"""What the server can do; of those that a client likes equally well the first is taken."""
_BROTLI_QUALITY, _GZIP_LEVEL = 5, 6
_LEAST_BYTES = 1024
"""A smaller answer fits into one packet anyway."""
_MOST_BYTES = 64_000_000
_LARGE_BYTES = 32_768
"""A larger answer takes more than a millisecond, so it is compressed in a thread."""
_MOST_LARGE = 2
"""So many are in memory at a time, from their first byte until they are compressed."""
_APPLICATIONS = {f"application/{name}" for name in ("json", "javascript", "xml", "wasm")}
_STREAM = "text/event-stream"
_PICTURES = tuple(f".{suffix}" for suffix in MEDIA_TYPES)
_UNCHANGED = (204, 206)
"""No body, and parts of one, whose places are those of the plain bytes."""


class Compressed:
    """Middleware that compresses whole answers of some media types.

    The entity tag of a compressed answer is weak: its bytes differ from those of the plain one, and
    what they say does not. Large files of the page, which never change, are compressed once.

    Args:
        app: the application.
        cache: keeps the compressed files.

    References:
        RFC 9110, 8.8.3.3 (entity tags of coded answers) and 12.5.3 (Accept-Encoding).
    """

    def __init__(self, app: ASGIApp, cache: Cache) -> None:
        self._app, self._cache = app, cache
        self._large = asyncio.Semaphore(_MOST_LARGE)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one connection."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_headers = Headers(scope=scope)
        coding = chosen_coding(",".join(request_headers.getlist("accept-encoding")))
        start: Message | None = None
        parts: list[bytes] = []
        turn = AsyncExitStack()

        async def coded(message: Message) -> None:
            nonlocal start
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                if message["status"] == 304 and not scope["path"].endswith(_PICTURES):
                    headers.add_vary_header("Accept-Encoding")
                    _name_known(headers, request_headers.get("if-none-match", ""))
                elif message["status"] not in _UNCHANGED and _is_of_words(headers):
                    headers.add_vary_header("Accept-Encoding")
                    start = message if coding is not None and _is_worth_it(headers) else None
                if start is None:
                    await send(message)
                elif int(headers["content-length"]) >= _LARGE_BYTES:
                    await turn.enter_async_context(self._large)
            elif start is None or coding is None:
                await send(message)
            else:
                parts.append(message.get("body", b""))
                if not message.get("more_body", False):
                    body = await self._coded(MutableHeaders(scope=start), parts, coding)
                    await turn.aclose()
                    await send(start)
                    await send_in_pieces(body, send)

        async with turn:
            await self._app(scope, receive, coded)

    async def _coded(self, headers: MutableHeaders, parts: list[bytes], coding: str) -> bytes:
        """Compress a body, which is taken from its parts, and state that in the headers."""
        body = b"".join(parts)
        parts.clear()
        tag = headers.get("etag", "")
        is_file = tag.startswith('"')  # what is made for each request has a weak one, or none
        if len(body) < _LARGE_BYTES:
            body = _compress(body, coding)
        else:
            work = self._compress_once if is_file else _compress
            body = await asyncio.to_thread(work, body, coding)
        headers["Content-Encoding"] = coding
        headers["Content-Length"] = str(len(body))
        del headers["Accept-Ranges"]
        if is_file:
            headers["ETag"] = f"W/{tag}"
        return body

    def _compress_once(self, body: bytes, coding: str) -> bytes:
        # By its content: two files can be of one size and, from one wheel, of one time.
        key = f"compressed {coding} {hashlib.sha256(body).hexdigest()}"
        found = self._cache.get(key)
        if found is None:
            found = _compress(body, coding)
            self._cache.put(key, found)
        return found


def chosen_coding(accepted: str) -> str | None:
    """Choose the coding of an answer.

    Args:
        accepted: the Accept-Encoding header, empty where there is none.

    Returns:
        The coding that the client likes best, or None for the plain bytes.

    Example:
        >>> chosen_coding("gzip, br"), chosen_coding("br;q=0, *;q=0.1"), chosen_coding("br;q=0")
        ('br', 'gzip', None)
    """
    weights = {}
    for element in accepted.lower().split(","):
        name, *options = (part.strip() for part in element.split(";"))
        try:
            named = [float(option[2:]) for option in options if option.startswith("q=")]
        except ValueError:
            continue
        weights[name] = named[0] if named else 1.0
    others = weights.get("*", 0.0)
    liked = {coding: weights.get(coding, others) for coding in _CODINGS}
    best = max(_CODINGS, key=lambda coding: liked[coding])
    return best if liked[best] > 0 and liked[best] >= weights.get("identity", 0.0) else None


def _is_of_words(headers: Headers) -> bool:
    media_type = headers.get("content-type", "").partition(";")[0].strip().lower()
    is_text = media_type.startswith("text/") and media_type != _STREAM
    return is_text or media_type in _APPLICATIONS or media_type.endswith(("+json", "+xml"))


def _is_worth_it(headers: Headers) -> bool:
    length = headers.get("content-length", "")  # an answer without one is a stream
    fits = length.isdecimal() and _LEAST_BYTES <= int(length) <= _MOST_BYTES
    # An answer that nobody may store can hold a secret beside what a client chose (BREACH).
    is_secret = "no-store" in headers.get("cache-control", "")
    return fits and not is_secret and "content-encoding" not in headers


def _name_known(headers: MutableHeaders, known_tags: str) -> None:
    """Let an answer without a body name what the client has: the compressed one, if it has that."""
    tag = headers.get("etag", "").removeprefix("W/")
    if tag and f"W/{tag}" in known_tags:
        headers["ETag"] = f"W/{tag}"


def _compress(body: bytes, coding: str) -> bytes:
    if coding == "br":
        compressed: bytes = brotli.compress(body, quality=_BROTLI_QUALITY)
        return compressed
    return gzip.compress(body, _GZIP_LEVEL, mtime=0)
