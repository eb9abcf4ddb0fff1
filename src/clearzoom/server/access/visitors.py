"""Who asks: the groups that the visitor of a request has logged in to.

Every picture is found by ``Library.find``, which asks ``may_see``. So no route can forget to check,
and outside of a request nobody may see anything.
"""

from collections.abc import Iterable
from contextvars import ContextVar
from dataclasses import dataclass

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from clearzoom.server.access.passwords import PUBLIC
from clearzoom.server.access.tickets import Tickets

COOKIE = "clearzoom-access-"
"""Begins the name of a cookie; the group follows."""


@dataclass
class _Visit:
    """A request: the groups of its visitor, and whether its answer depends on them."""

    groups: frozenset[str] = frozenset()
    is_private: bool = False


_visit: ContextVar[_Visit | None] = ContextVar("visit", default=None)


def may_see(access: str | None) -> bool:
    """Return whether the visitor of this request may see pictures.

    Args:
        access: the group that they are for; None or ``public`` where they are for all.
    """
    if is_open(access):
        return True
    visit = _visit.get()
    if visit is None:
        return False
    visit.is_private = True
    return access in visit.groups


def is_open(access: str | None) -> bool:
    """Return whether pictures are for all."""
    return access is None or access == PUBLIC


class Visitors:
    """Finds out the groups of a request's visitor, and keeps private answers out of shared caches.

    Args:
        app: the application.
        tickets: check the cookies.
        groups: all groups that there are.
    """

    def __init__(self, app: ASGIApp, tickets: Tickets, groups: Iterable[str]) -> None:
        self._app, self._tickets, self._groups = app, tickets, tuple(groups)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one connection."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        visit = _Visit(self._logged_in(Headers(scope=scope)))

        async def marked(message: Message) -> None:
            if message["type"] == "http.response.start" and visit.is_private:
                headers = MutableHeaders(scope=message)
                if headers.get("Cache-Control") != "no-store":
                    headers["Cache-Control"] = "private, no-cache"
            await send(message)

        token = _visit.set(visit)
        try:
            await self._app(scope, receive, marked)
        finally:
            _visit.reset(token)

    def _logged_in(self, headers: Headers) -> frozenset[str]:
        cookies = cookies_of(headers)
        return frozenset(
            group
            for group in self._groups
            if self._tickets.state(cookies.get(COOKIE + group, ""), "pictures", group) == "valid"
        )


def cookies_of(headers: Headers) -> dict[str, str]:
    """Return the cookies of a request by name, as they stand there.

    Ours need no quotes. Python's own parser takes seconds for a long header with quotes, and finds
    no cookie at all where another one is malformed.
    """
    pairs = (each.partition("=") for each in headers.get("cookie", "").split(";"))
    return {name.strip(): value.strip() for name, equals, value in pairs if equals}
