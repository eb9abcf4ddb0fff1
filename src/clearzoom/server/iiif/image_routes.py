"""The IIIF Image API 3.0 and 2.1, for pictures and virtual pictures."""

import re
from typing import Annotated
from urllib.parse import unquote

from fastapi import APIRouter, Header, Path, Request
from fastapi.responses import RedirectResponse, Response

from clearzoom.server.iiif.addresses import (
    Identifier,
    base_of,
    check_upscaling,
    resolve_identifier,
)
from clearzoom.server.iiif.image_info import CONTEXTS, LEVELS, image_info
from clearzoom.server.iiif.image_request import MEDIA_TYPES, ApiVersion, canonical, parse_view
from clearzoom.server.iiif.responses import (
    PICTURE_ERRORS,
    KnownTags,
    cache_control,
    described,
    last_change_ns,
    tile_response,
)
from clearzoom.server.tiles.service import Service

_ACCEPTS_LINKED_DATA = re.compile(r"application/ld\+json(?![^,]*;\s*q=0(\.0*)?\s*(,|;|$))")


def image_router(service: Service, version: ApiVersion) -> APIRouter:
    """Make the routes of one version of the Image API."""
    router = APIRouter(prefix=f"/iiif/{version}", tags=["pictures"], responses=PICTURE_ERRORS)

    @router.get("/{identifier}", status_code=303, response_class=RedirectResponse)
    async def base(request: Request, identifier: Identifier) -> RedirectResponse:
        """Redirect to the info.json of the picture."""
        variant, _ = resolve_identifier(service, identifier, described=True)
        return RedirectResponse(f"{base_of(request, variant, version)}/info.json", 303)

    @router.get(
        "/{identifier}/info.json",
        response_class=Response,
        responses={
            200: {"content": {"application/json": {}, "application/ld+json": {}}},
            304: {"description": "The client has it."},
        },
    )
    async def info(
        request: Request,
        identifier: Identifier,
        accept: Annotated[str | None, Header()] = None,
    ) -> Response:
        """Describe a picture: its sizes, its tiles, and of which pixels it is made."""
        variant, entry = resolve_identifier(service, identifier, described=True)
        original = await service.opened(request, entry)
        if variant.scale > 1:
            await service.measured(request, variant)
        content = image_info(request, service, variant, entry, original, version)
        media, links = _media_of(accept, version)
        headers = {
            "Cache-Control": cache_control(service, entry),
            "Link": ",".join(links),
            "Vary": "Accept",
        }
        return described(request, content, media, last_change_ns(service, entry), headers)

    @router.get(
        "/{identifier}/{region}/{size}/{rotation}/{quality_format}",
        response_class=Response,
        responses={
            200: {
                "content": {media: {} for media in MEDIA_TYPES.values()},
                "description": "The pixels. X-Clearzoom-Pixels says whether they are original, "
                "reduced, interpolated or inferred, X-Clearzoom-Model by which weights.",
            },
            304: {"description": "The client has it."},
        },
    )
    async def image(
        request: Request,
        identifier: Identifier,
        region: Annotated[str, Path(examples=["full", "0,0,512,512"])],
        size: Annotated[
            str, Path(examples=["max", "512,", "^!2000,2000" if version == 3 else "!2000,2000"])
        ],
        rotation: Annotated[str, Path(examples=["0", "22.5"])],
        quality_format: Annotated[str, Path(examples=["default.jpg"])],
        if_none_match: KnownTags = None,
    ) -> Response:
        """Return a part of a picture in a size; above the part's own, detail is inferred."""
        quality, _, suffix = unquote(quality_format).partition(".")
        variant, entry = resolve_identifier(service, identifier)
        original = await service.opened(request, entry)
        parts = (unquote(region), unquote(size), unquote(rotation), quality, suffix)
        if variant.scale > 1 or version == 2 or parts[1].startswith("^"):
            await service.measured(request, variant)
        source_px = (original.source.width_px, original.source.height_px)
        limits = service.limits(variant)
        view = parse_view(variant, source_px, limits, *parts, version)
        if view.factor > 1:
            check_upscaling(entry)
        same = f"{base_of(request, variant, version)}/{canonical(view, limits, version)}"
        links = {"Link": f'<{same}>;rel="canonical",<{LEVELS[version]}>;rel="profile"'}
        return await tile_response(service, request, entry, original, view, if_none_match, links)

    return router


def _media_of(accept: str | None, version: ApiVersion) -> tuple[str, list[str]]:
    """Choose the media type of an info.json, and the Link header that belongs to it.

    Version 3.0 prefers JSON-LD; version 2.1 has it where it is asked for by name alone.
    """
    links = [f'<{LEVELS[version]}>;rel="profile"']
    linked = version == 3 if accept is None else bool(_ACCEPTS_LINKED_DATA.search(accept))
    if linked:
        profile = f';profile="{CONTEXTS[3]}"' if version == 3 else ""
        return f"application/ld+json{profile}", links
    relation = 'rel="http://www.w3.org/ns/json-ld#context";type="application/ld+json"'
    return "application/json", [*links, f"<{CONTEXTS[version]}>;{relation}"]
