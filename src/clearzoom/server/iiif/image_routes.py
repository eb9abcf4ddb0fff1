"""The IIIF Image API 3.0, for pictures and virtual pictures."""

import re
from typing import Annotated, Any
from urllib.parse import unquote

from fastapi import APIRouter, Header, Path, Request
from fastapi.responses import JSONResponse, RedirectResponse, Response

from clearzoom.server.gallery.library import Entry
from clearzoom.server.iiif.addresses import (
    Identifier,
    base_of,
    check_upscaling,
    resolve_identifier,
)
from clearzoom.server.iiif.identifiers import BICUBIC, Variant
from clearzoom.server.iiif.image_request import (
    MEDIA_TYPES,
    TILE_PX,
    canonical,
    parse_view,
    scale_factors,
    tile_sizes,
)
from clearzoom.server.iiif.responses import (
    PICTURE_ERRORS,
    KnownTags,
    cache_control,
    tile_response,
)
from clearzoom.server.settings import VIRTUAL_SCALES
from clearzoom.server.tiles.originals import Original
from clearzoom.server.tiles.service import Service

_CONTEXT = "http://iiif.io/api/image/3/context.json"
_LEVEL = "http://iiif.io/api/image/3/level2.json"
_ACCEPTS_LINKED_DATA = re.compile(r"application/ld\+json(?![^,]*;\s*q=0(\.0*)?\s*(,|;|$))")


def image_router(service: Service) -> APIRouter:
    """Make the routes."""
    router = APIRouter(tags=["pictures"], responses=PICTURE_ERRORS)

    @router.get("/iiif/3/{identifier}", status_code=303, response_class=RedirectResponse)
    async def base(request: Request, identifier: Identifier) -> RedirectResponse:
        """Redirect to the info.json of the picture."""
        variant, _ = resolve_identifier(service, identifier)
        return RedirectResponse(f"{base_of(request, variant)}/info.json", 303)

    @router.get(
        "/iiif/3/{identifier}/info.json",
        responses={200: {"content": {"application/ld+json": {}}}},
    )
    async def info(
        request: Request,
        identifier: Identifier,
        accept: Annotated[str | None, Header()] = None,
    ) -> JSONResponse:
        """Describe a picture: its sizes, its tiles, and of which pixels it is made."""
        variant, entry = resolve_identifier(service, identifier)
        original = await service.opened(request, entry)
        linked = accept is None or _ACCEPTS_LINKED_DATA.search(accept) is not None
        media = f'application/ld+json;profile="{_CONTEXT}"' if linked else "application/json"
        return JSONResponse(
            _info(request, service, variant, entry, original),
            media_type=media,
            headers={
                "Cache-Control": cache_control(service),
                "Link": f'<{_LEVEL}>;rel="profile"',
                "Vary": "Accept",
            },
        )

    @router.get(
        "/iiif/3/{identifier}/{region}/{size}/{rotation}/{quality_format}",
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
        size: Annotated[str, Path(examples=["max", "512,", "^!2000,2000"])],
        rotation: Annotated[str, Path(examples=["0"])],
        quality_format: Annotated[str, Path(examples=["default.jpg"])],
        if_none_match: KnownTags = None,
    ) -> Response:
        """Return a part of a picture in a size; ^ before the size lets detail be inferred."""
        quality, _, suffix = unquote(quality_format).partition(".")
        variant, entry = resolve_identifier(service, identifier)
        original = await service.opened(request, entry)
        parts = (unquote(region), unquote(size), unquote(rotation), quality, suffix)
        source_px = (original.source.width_px, original.source.height_px)
        limits = service.limits(variant)
        view = parse_view(variant, source_px, limits, *parts)
        if view.factor > 1:
            check_upscaling(entry)
        same = f"{base_of(request, variant)}/{canonical(view, limits)}"
        links = {"Link": f'<{same}>;rel="canonical",<{_LEVEL}>;rel="profile"'}
        return await tile_response(service, request, original, view, if_none_match, links)

    return router


def _info(
    request: Request,
    service: Service,
    variant: Variant,
    entry: Entry,
    original: Original,
) -> dict[str, Any]:
    """Describe a picture or a virtual picture, as its info.json does."""
    width = original.source.width_px * variant.scale
    height = original.source.height_px * variant.scale
    limits = service.limits(variant)
    longest = max(1, int(min(limits.width, limits.zoom * max(width, height))))
    info: dict[str, Any] = {
        "@context": _CONTEXT,
        "id": base_of(request, variant),
        "type": "ImageService3",
        "protocol": "http://iiif.io/api/image",
        "profile": "level2",
        "width": width,
        "height": height,
        "maxWidth": longest,
        "maxHeight": longest,
        "maxArea": limits.area,
        "sizes": tile_sizes(width, height, limits),
        "tiles": [{"width": TILE_PX, "scaleFactors": scale_factors(width, height)}],
        "preferredFormats": ["png"] if variant.fidelity else ["jpg"],
        "extraFormats": ["webp"],
        "extraQualities": ["color", "gray", "bitonal"],
        "extraFeatures": ["canonicalLinkHeader", "mirroring", "profileLinkHeader"],
    }
    if entry.upscaling:
        info["extraFeatures"].append("sizeUpscaling")
    if entry.marks.iiif_rights is not None:
        info["rights"] = entry.marks.iiif_rights
    source = base_of(request, Variant(variant.identifier))
    own: dict[str, Any] = {"pixels": "original"}
    if variant.scale > 1:
        info["seeAlso"] = [
            {"id": f"{source}/info.json", "type": "Dataset", "format": "application/json"}
        ]
        own = {
            "pixels": "interpolated" if variant.model == BICUBIC else "inferred",
            "source": source,
            "source_width": original.source.width_px,
            "source_height": original.source.height_px,
            "scale": variant.scale,
            "model": variant.model or service.settings.model,
            "strength": variant.strength,
            "denoise": "auto" if variant.denoise is None else variant.denoise,
        }
    elif entry.upscaling:
        own["virtual"] = [
            base_of(request, Variant(variant.identifier, scale)) for scale in VIRTUAL_SCALES
        ]
    info["clearzoom"] = own
    return info
