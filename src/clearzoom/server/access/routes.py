"""Routes of IIIF Authorization Flow 2.0: log in, get a token, ask whether it is enough, log out.

References:
    https://iiif.io/api/auth/2.0/
"""

import asyncio
import html
import json
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import parse_qs, unquote

from fastapi import APIRouter, Header, Query, Request
from fastapi import Path as InPath
from fastapi.responses import HTMLResponse, JSONResponse
from starlette.requests import ClientDisconnect

from clearzoom.server.access.passwords import GROUP, is_password
from clearzoom.server.access.services import CONTEXT, PATH
from clearzoom.server.access.tickets import Tickets
from clearzoom.server.access.visitors import COOKIE, cookies_of, may_see
from clearzoom.server.error_answers import RefusedError, error_responses
from clearzoom.server.gallery.library import Entry
from clearzoom.server.guards import GUARDS
from clearzoom.server.public_address import public_address

PAGE = Path(__file__).parent.parent / "page"
_LOGGED_IN_S = 8 * 3600
_TOKEN_S = 300
_WRONG_S = 1.0
"""Wait after a wrong password, so that guessing is slow."""
_LONGEST_BODY, _BODY_WITHIN_S = 4096, 20.0
_ORIGIN = re.compile(r"https?://(?:[A-Za-z0-9._~-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?")
_PROFILES = {"wrong": "invalidAspect", "expired": "expiredAspect"}

Group = Annotated[str, InPath(description="The group, as clearzoom.toml names it.")]


def access_router(
    passwords: Mapping[str, tuple[str, ...]],
    tickets: Tickets,
    find: Callable[[str], Entry],
    shared_with: Sequence[str],
) -> APIRouter:
    """Make the routes.

    Args:
        passwords: those of each group.
        tickets: of this run of the server.
        find: returns a picture's entry by its decoded identifier, whoever asks.
        shared_with: the sites whose pages may read pictures, or ``*``; others get no token.
    """
    router = APIRouter(prefix=PATH, tags=["access"], responses=error_responses(401, 404))

    @router.get("/access/{group}", response_class=HTMLResponse)
    async def access(request: Request, group: Group) -> HTMLResponse:
        """Show the page on which people log in to see a group's pictures."""
        _check(group, passwords)
        return _page(group, "in" if may_see(group) else "out")

    @router.post("/access/{group}", response_class=HTMLResponse)
    async def log_in(request: Request, group: Group) -> HTMLResponse:
        """Check a password, and set a cookie; the body is a form with the field ``password``."""
        _check(group, passwords)
        body = b""
        try:
            async with asyncio.timeout(_BODY_WITHIN_S):
                async for chunk in request.stream():
                    body += chunk
                    if len(body) > _LONGEST_BODY:
                        raise RefusedError(413, "that is no password")
        except TimeoutError:
            raise RefusedError(408, "the body took too long; send it faster") from None
        except ClientDisconnect:
            raise RefusedError(499, "the client went away") from None
        given = parse_qs(body.decode("utf-8", "replace")).get("password", [""])[0]
        given = given.rstrip("\r\n")  # of a file that ends its line
        if not is_password(given, group, passwords):
            await asyncio.sleep(_WRONG_S)
            return _page(group, "wrong", 401)
        answer = _page(group, "done")
        _set_cookie(answer, request, group, tickets.issue("pictures", group, _LOGGED_IN_S))
        return answer

    @router.get("/logout/{group}", response_class=HTMLResponse)
    async def log_out(request: Request, group: Group) -> HTMLResponse:
        """Delete the cookie."""
        _check(group, passwords)
        answer = _page(group, "left")
        _set_cookie(answer, request, group, None)
        return answer

    @router.get("/token/{group}", response_class=HTMLResponse, responses=error_responses(400))
    async def token(
        request: Request,
        group: Group,
        message: Annotated[str, Query(alias="messageId", max_length=1024)],
        origin: Annotated[str, Query(examples=["https://viewer.example.org"])],
    ) -> HTMLResponse:
        """Post a token to the page of another site that has opened this in a frame."""
        _check(group, passwords)
        if not _ORIGIN.fullmatch(origin):
            raise RefusedError(400, "the origin must be like https://viewer.example.org")
        cookie = cookies_of(request.headers).get(COOKIE + group)
        content: dict[str, Any] = {"@context": CONTEXT, "messageId": message}
        if "*" not in shared_with and origin.lower() not in map(str.lower, shared_with):
            content |= {"type": "AuthAccessTokenError2", "profile": "invalidOrigin"}
        elif may_see(group):
            ticket = tickets.issue("probe", group, _TOKEN_S)
            content |= {"type": "AuthAccessToken2", "accessToken": ticket, "expiresIn": _TOKEN_S}
        else:
            state = "missing" if cookie is None else tickets.state(cookie, "pictures", group)
            profile = _PROFILES.get(state, "missingAspect")
            content |= {"type": "AuthAccessTokenError2", "profile": profile}
        page = _document("access-token.html")
        page = page.replace("$message", html.escape(json.dumps(content)))
        page = page.replace("$origin", html.escape(origin))
        policy = GUARDS["Content-Security-Policy"].replace(
            "frame-ancestors 'self'", f"frame-ancestors {origin}"
        )
        headers = {"Content-Security-Policy": policy, "Cache-Control": "no-store"}
        return HTMLResponse(page, headers=headers)

    @router.get("/probe/{identifier}")
    async def probe(
        identifier: Annotated[str, InPath(description="A picture.", examples=["cat.png"])],
        authorization: Annotated[str, Header()] = "",
    ) -> JSONResponse:
        """Say which status the pixels of a picture would have for whoever has this token."""
        group = find(unquote(identifier, errors="replace")).marks.access
        scheme, _, ticket = authorization.partition(" ")
        brings = (
            group in passwords
            and scheme.lower() == "bearer"
            and tickets.state(ticket.strip(), "probe", str(group)) == "valid"
        )
        content: dict[str, Any] = {"@context": CONTEXT, "type": "AuthProbeResult2", "status": 200}
        if not brings and not may_see(group):
            content["status"] = 401
            content["heading"] = {
                "en": ["These pictures need a password"],
                "zh-Hant": ["這些圖片需要密碼"],
            }
            content["note"] = {
                "en": [f"They are shown to the group “{group}” alone."],
                "zh-Hant": [f"只讓「{group}」群組觀看。"],
            }
        return JSONResponse(content, headers={"Cache-Control": "no-store"})

    def _set_cookie(answer: HTMLResponse, request: Request, group: str, ticket: str | None) -> None:
        # Viewers on other sites load images with the cookie only where it is SameSite=None, and
        # browsers accept that over TLS alone. Without TLS, Lax serves viewers on the same site,
        # such as another port of localhost.
        address = public_address(request.scope)
        secure = address.origin.startswith("https:")
        answer.set_cookie(
            COOKIE + group,
            ticket or "",
            max_age=_LOGGED_IN_S if ticket else 0,
            path=f"{address.prefix}/",
            httponly=True,
            secure=secure,
            samesite="none" if secure else "lax",
        )

    return router


def _check(group: str, passwords: Mapping[str, tuple[str, ...]]) -> None:
    if not GROUP.fullmatch(group) or group not in passwords:
        raise RefusedError(404, "there is no such group")


def _page(group: str, state: str, status: int = 200) -> HTMLResponse:
    page = _document("access.html")
    page = page.replace("$group", html.escape(group)).replace("$state", state)
    headers = {
        "Cache-Control": "no-store",
        # The viewer that opened the window learns that it is closed.
        "Cross-Origin-Opener-Policy": "unsafe-none",
    }
    return HTMLResponse(page, status, headers=headers)


def _document(name: str) -> str:
    """Read a page; its addresses are relative, whatever path the server has behind a proxy."""
    above = "../" * (PATH.count("/") + 1)
    text = (PAGE / name).read_text("utf-8")
    return text.replace('="static/', f'="{above}static/').replace("$home", above)
