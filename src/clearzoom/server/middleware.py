"""Middleware before every route: paths, tokens, requests of other sites, security headers."""

import hmac
from collections.abc import Iterable
from urllib.parse import parse_qs, parse_qsl, quote, urlencode, urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import RedirectResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from clearzoom.server.access.visitors import cookies_of
from clearzoom.server.error_answers import failure
from clearzoom.server.guards import DEVICE, guards_of
from clearzoom.server.public_address import public_address, stated_host
from clearzoom.server.settings import ServeSettings, is_address, is_loopback

COOKIE = "clearzoom-token"
_LONGEST_PATH = 8192
_CHANGING = ("POST", "PUT", "PATCH", "DELETE")
_OPEN_TO_ALL = ("/healthz",)
"""What containers and clusters ask at an address that changes; it says that the server lives."""
_BY_ADDRESS = ("/metrics",)
"""Prometheus asks for these at the same address."""
_PAGES = ("/", DEVICE)
_SHARED = ("/iiif/", "/dzi/")
"""Viewers on other sites may read answers below these paths."""
_OWN = {"Cross-Origin-Resource-Policy": "same-origin"}
_EMBEDDED = {"Cross-Origin-Resource-Policy": "cross-origin"}
_CORS = {
    "Access-Control-Expose-Headers": "ETag, Link, X-Clearzoom-Model, X-Clearzoom-Pixels",
    "Cross-Origin-Resource-Policy": "cross-origin",
}
_PREFLIGHT = {
    "Access-Control-Allow-Methods": "GET, HEAD, OPTIONS",
    "Access-Control-Allow-Headers": "Authorization, *",  # the star does not stand for it
    "Access-Control-Max-Age": "86400",
}
_OTHER_NAME = "this server answers to its own names only; whoever runs it can allow another one"


class RawPaths:
    """Routes by the encoded path, so that an encoded slash stays part of an identifier.

    The path of a public address leads to the page, also where it has no slash at its end.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one connection."""
        if scope["type"] == "http":
            raw = scope.get("raw_path") or quote(scope["path"]).encode()
            path, prefix = raw.partition(b"?")[0].decode("latin-1"), public_address(scope).prefix
            if prefix and path == prefix:
                # The addresses in the page are relative to a folder.
                query = scope["query_string"].decode("latin-1")
                target = f"{prefix}/{'?' if query else ''}{query}"
                await RedirectResponse(target, 308)(scope, receive, send)
                return
            if len(path) > _LONGEST_PATH or not path.isascii():
                await failure(400, "request", "the path is no path")(scope, receive, send)
                return
            scope = dict(scope) | {"path": path, "headers": _own_cookies(scope["headers"])}
            if scope["method"] == "HEAD":  # is answered as GET, without the body
                scope["method"] = "GET"
                send = _without_body(send)
        await self._app(scope, receive, send)


def _own_cookies(headers: Iterable[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    """Leave other sites' cookies out, which the framework would parse, in a time without bound."""
    kept = []
    for name, value in headers:
        if name == b"cookie":
            pairs = (each.strip() for each in value.split(b";"))
            value = b"; ".join(each for each in pairs if each.startswith(b"clearzoom-"))
        kept.append((name, value))
    return kept


def _without_body(send: Send) -> Send:
    async def bare(message: Message) -> None:
        if message["type"] == "http.response.body":
            message = {**message, "body": b""}
        await send(message)

    return bare


class Safety:
    """Checks the token, refuses changes that a page of another site requests, and adds headers."""

    def __init__(self, app: ASGIApp, settings: ServeSettings) -> None:
        self._app, self._settings = app, settings

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one connection."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers, path = Headers(scope=scope), scope["path"]
        shared = path.startswith(_SHARED) and bool(self._settings.shared_with)
        added = guards_of(path) | (self._shared(headers) if shared else _OWN)

        async def marked(message: Message) -> None:
            if message["type"] == "http.response.start":
                answer = MutableHeaders(scope=message)
                for name, value in added.items():
                    answer.setdefault(name, value)
                if shared and "*" not in self._settings.shared_with:
                    answer.add_vary_header("Origin")
            await send(message)

        refusal = self._refusal(scope, headers)
        if refusal is not None:
            await failure(*refusal)(scope, receive, marked)
        elif shared and scope["method"] == "OPTIONS":
            await _preflight(marked)
        elif self._brings_token(scope):
            await self._set_cookie(scope, receive, marked)
        else:
            await self._app(scope, receive, marked)

    def _shared(self, headers: Headers) -> dict[str, str]:
        """Return the headers by which pages of other sites may read an answer, if they may."""
        origins, origin = self._settings.shared_with, headers.get("origin", "")
        if "*" in origins:
            return _CORS | {"Access-Control-Allow-Origin": "*"}
        if origin.lower() in map(str.lower, origins):
            return _CORS | {"Access-Control-Allow-Origin": origin}
        # Images in a page come without an origin. No page can read them: the browser alone shows.
        return _OWN if origin else _EMBEDDED

    def _refusal(self, scope: Scope, headers: Headers) -> tuple[int, str, str] | None:
        if scope["path"] not in _OPEN_TO_ALL and not self._is_own_name(scope):
            # DNS rebinding: a page of a name that resolves to here must not read what is served.
            return 403, "forbidden", _OTHER_NAME
        origin = headers.get("origin")
        scheme, _, credentials = headers.get("authorization", "").partition(" ")
        bearer = credentials if scheme.lower() == "bearer" else ""
        foreign = bool(origin) and not _is_of(origin or "", public_address(scope).host)
        if scope["method"] in _CHANGING and foreign and not self._is_token(bearer):
            return 403, "forbidden", "a page of another site must not change anything here"
        if scope["path"] in _OPEN_TO_ALL or self._settings.token is None:
            return None
        if scope["method"] == "OPTIONS" or self._brings_token(scope):
            return None
        if self._is_token(bearer) or self._is_token(cookies_of(headers).get(COOKIE, "")):
            return None
        return 401, "token", "add ?token=... to the address, as the server said when it started"

    def _is_own_name(self, scope: Scope) -> bool:
        """Return whether a request for a host is meant for this server."""
        try:
            name = urlsplit(f"//{stated_host(scope)}").hostname or ""
        except ValueError:
            return False
        if scope["path"] in _BY_ADDRESS and is_address(name):  # of which no page can be rebound
            return True
        own = [each.lower() for each in self._settings.allowed_hosts]
        if self._settings.public_url:
            own.append(urlsplit(self._settings.public_url).hostname or "")
        if is_loopback(self._settings.host) and is_loopback(name):
            return True
        return name in own or not (own or self._settings.is_local)

    def _is_token(self, text: str) -> bool:
        token = self._settings.token
        return token is not None and hmac.compare_digest(text.encode(), token.encode())

    def _brings_token(self, scope: Scope) -> bool:
        tokens = parse_qs(scope["query_string"].decode("latin-1")).get("token", [""])
        return self._is_token(tokens[0])

    async def _set_cookie(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Put the token into a cookie; redirect a person to the address without it."""

        async def with_cookie(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).append("Set-Cookie", cookie)
            await send(message)

        address = public_address(scope)
        cookie = f"{COOKIE}={self._settings.token}; Path={address.prefix}/; HttpOnly; "
        cookie += "SameSite=Strict" + ("; Secure" if address.origin.startswith("https:") else "")
        if scope["path"] in _PAGES:
            # A person might copy the address with the token, or show it to others.
            query = parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True)
            left = urlencode([each for each in query if each[0] != "token"])
            target = f"{address.prefix}{scope['path']}{'?' if left else ''}{left}"
            await RedirectResponse(target, 303)(scope, receive, with_cookie)
        else:
            await self._app(scope, receive, with_cookie)


def _is_of(origin: str, host: str) -> bool:
    try:
        return urlsplit(origin).netloc.lower() == host.lower()
    except ValueError:
        return False


async def _preflight(send: Send) -> None:
    headers = [(name.lower().encode(), value.encode()) for name, value in _PREFLIGHT.items()]
    await send({"type": "http.response.start", "status": 204, "headers": headers})
    await send({"type": "http.response.body", "body": b""})
