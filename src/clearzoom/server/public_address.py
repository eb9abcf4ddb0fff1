"""Where clients reach the server, and who they are, where a proxy stands in front of it."""

import re
from dataclasses import dataclass
from urllib.parse import quote, urlsplit

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from clearzoom.server.client_addresses import is_in, networks
from clearzoom.server.settings import ServeSettings

_ADDRESS, _HOST = "clearzoom.public-address", "clearzoom.host"
_PAIR = re.compile(r'\s*([!#$%&\'*+.^_`|~0-9A-Za-z-]+)=(?:"((?:[^"\\]|\\.)*)"|([^";,\s]*))\s*')
_PREFIX = re.compile(r"(?:/(?!\.\.?(?:/|$))[A-Za-z0-9._~-]+)*")
_LONGEST_NAME, _LONGEST_HEADER = 64, 2000
_DEFAULT_PORTS = {"http": ":80", "https": ":443"}


@dataclass(frozen=True)
class PublicAddress:
    """The address at which clients reach the server.

    Attributes:
        origin: scheme, host and port, like https://images.museum.org.
        prefix: path under which everything lies, like /zoom; empty where there is none.
    """

    origin: str
    prefix: str = ""

    @property
    def root(self) -> str:
        """The address, without a slash at its end."""
        return f"{self.origin}{self.prefix}"

    @property
    def host(self) -> str:
        """Host and port, as in a Host header."""
        return urlsplit(self.origin).netloc

    @classmethod
    def of(cls, url: str) -> "PublicAddress":
        """Split a URL, which may end with a slash."""
        parts = urlsplit(url)
        host = parts.netloc.lower().removesuffix(_DEFAULT_PORTS.get(parts.scheme, ":"))
        return cls(f"{parts.scheme}://{host}", parts.path.rstrip("/"))


def public_address(scope: Scope) -> PublicAddress:
    """Return the address at which the client of a request reaches the server."""
    known: PublicAddress | None = scope.get(_ADDRESS)
    return known or PublicAddress(f"{scope['scheme']}://{stated_host(scope)}")


def stated_host(scope: Scope) -> str:
    """Return the host that a request is for, as its client or a trusted proxy states it."""
    host: str = scope[_HOST] if _HOST in scope else Headers(scope=scope).get("host", "")
    return host


class BehindProxy:
    """Takes the public address and the client from the settings and from trusted proxies.

    Whatever a request states about them counts only where a trusted proxy sent it.

    References:
        RFC 7239 (Forwarded).
    """

    def __init__(self, app: ASGIApp, settings: ServeSettings) -> None:
        self._app = app
        self._fixed = PublicAddress.of(settings.public_url) if settings.public_url else None
        self._proxies = networks(settings.trusted_proxies)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one connection."""
        if scope["type"] == "http":
            scope = self._seen_by_client(scope)
        await self._app(scope, receive, send)

    def _seen_by_client(self, scope: Scope) -> Scope:
        headers = Headers(scope=scope)
        peer = scope["client"][0] if scope.get("client") else ""
        scheme, host, prefix = scope["scheme"], headers.get("host", ""), ""
        if is_in(peer, self._proxies):
            hops = _hops(headers)
            for hop in reversed(hops):
                peer = hop.get("for", peer)
                if not is_in(peer, self._proxies):
                    break
            last = hops[-1] if hops else {}
            scheme, host = last.get("proto", scheme), last.get("host", host)
            prefix = _last(headers, "x-forwarded-prefix").rstrip("/")
        if scheme not in ("http", "https") or not _PREFIX.fullmatch(prefix):
            scheme, prefix = scope["scheme"], ""
        address = self._fixed or PublicAddress(f"{scheme}://{host}", prefix)
        path = scope.get("raw_path") or quote(scope["path"]).encode()
        start = address.prefix.encode()
        if start and path.startswith(start + b"/"):
            path = path.removeprefix(start)
        port = scope["client"][1] if scope.get("client") else 0
        seen = {_ADDRESS: address, _HOST: host, "client": (peer, port), "raw_path": path}
        return dict(scope) | seen


def _hops(headers: Headers) -> list[dict[str, str]]:
    """List what each proxy states of the request that it got, the nearest proxy last."""
    if "forwarded" in headers and "x-forwarded-for" not in headers:
        return [_pairs(element) for element in _listed(headers, "forwarded")]
    hops = [{"for": _without_port(each)} for each in _listed(headers, "x-forwarded-for")] or [{}]
    for name in ("proto", "host"):
        if stated := _last(headers, f"x-forwarded-{name}"):
            hops[-1][name] = stated
    return hops


def _pairs(element: str) -> dict[str, str]:
    found = {}
    for name, quoted, plain in _PAIR.findall(element):
        found[name.lower()] = re.sub(r"\\(.)", r"\1", quoted) if quoted else plain
    if "for" in found:
        found["for"] = _without_port(found["for"])
    return found


def _listed(headers: Headers, name: str) -> list[str]:
    """Split a header that may occur several times at its commas, but not at quoted ones."""
    text = ",".join(headers.getlist(name))
    if len(text) > _LONGEST_HEADER:  # no proxy's
        return []
    return [each.strip() for each in re.findall(r'(?:[^,"]|"(?:[^"\\]|\\.)*")+', text)]


def _last(headers: Headers, name: str) -> str:
    return (_listed(headers, name) or [""])[-1]


def _without_port(node: str) -> str:
    """Return the address of a node, like 192.0.2.43:47011 or [2001:db8::17]:47011."""
    if node.startswith("["):
        return node[1:].partition("]")[0][:_LONGEST_NAME]
    host, colon, _ = node.partition(":")
    return (host if colon and node.count(":") == 1 else node)[:_LONGEST_NAME]
