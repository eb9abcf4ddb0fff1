"""The IIIF Image API 3.0 and Deep Zoom, for pictures and virtual pictures."""

import re
from typing import Annotated, Any
from urllib.parse import unquote

from fastapi import APIRouter, Header, Path, Request
from fastapi.responses import JSONResponse, RedirectResponse, Response

from clearzoom.core.box import Box
from clearzoom.server.error_answers import Failure, RefusedError
from clearzoom.server.gallery.library import Entry
from clearzoom.server.iiif.identifiers import BICUBIC, Variant, encoded, parse_variant
from clearzoom.server.iiif.image_request import (
    MEDIA_TYPES,
    TILE_PX,
    canonical,
    parse_view,
    scale_factors,
    tile_sizes,
)
from clearzoom.server.settings import VIRTUAL_SCALES
from clearzoom.server.tiles.originals import Original
from clearzoom.server.tiles.render import View
from clearzoom.server.tiles.service import Service

_LINKED = re.compile(r"application/ld\+json(?![^,]*;\s*q=0(\.0*)?\s*(,|;|$))")
CONTEXT = "http://iiif.io/api/image/3/context.json"
LEVEL = "http://iiif.io/api/image/3/level2.json"
_DZI_TILE_PX, _DZI_OVERLAP_PX = 510, 1
_DZI = (
    '<?xml version="1.0" encoding="UTF-8"?>\n'
    '<Image xmlns="http://schemas.microsoft.com/deepzoom/2008" Format="{format}" '
    'Overlap="{overlap}" TileSize="{tile}"><Size Width="{width}" Height="{height}"/></Image>\n'
)
FAILURES: dict[int | str, dict[str, Any]] = {
    status: {"model": Failure, "description": text}
    for status, text in {
        400: "no such request, or over the limits",
        401: "a token is asked for",
        403: "not from a page of another site, or not to be changed at all",
        404: "no such picture",
        413: "the picture is too large",
        415: "the file is no picture, or damaged",
        429: "too many requests at once",
        501: "upscaling is switched off for this picture",
        503: "too much to do; come again",
    }.items()
}
Identifier = Annotated[
    str,
    Path(
        description="A picture, or a virtual one: ID~x4, ID~x4,MODEL, ID~x4,bicubic",
        examples=["cat.png~x4"],
    ),
]
KnownTags = Annotated[str | None, Header(alias="If-None-Match")]


def image_router(service: Service) -> APIRouter:
    """Make the routes."""
    router = APIRouter(tags=["pictures"], responses=FAILURES)

    async def find(request: Request, identifier: str) -> tuple[Variant, Entry, Original]:
        variant, entry = found(service, identifier)
        return variant, entry, await service.opened(request, entry)

    async def answer(
        request: Request, original: Original, view: View, known: str | None, links: dict[str, str]
    ) -> Response:
        def is_known(etag: str) -> bool:
            tags = [tag.strip().removeprefix("W/") for tag in (known or "").split(",")]
            return etag in tags or "*" in tags

        tile = await service.tile(request, original, view, is_known)
        headers = {"Cache-Control": kept(service)} | links
        if isinstance(tile, str):
            return Response(status_code=304, headers=headers | {"ETag": tile})
        headers |= {"ETag": tile.etag, "X-Clearzoom-Pixels": tile.kind}
        if tile.model is not None:
            headers["X-Clearzoom-Model"] = tile.model
        return Response(tile.content, media_type=MEDIA_TYPES[view.suffix], headers=headers)

    @router.get("/iiif/3/{identifier}", status_code=303, response_class=RedirectResponse)
    async def base(request: Request, identifier: Identifier) -> RedirectResponse:
        """Lead to what describes the picture."""
        variant, _ = found(service, identifier)
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
        """Describe a picture: sizes, tiles, and of which pixels it is made."""
        variant, entry, original = await find(request, identifier)
        linked = accept is None or _LINKED.search(accept) is not None
        media = f'application/ld+json;profile="{CONTEXT}"' if linked else "application/json"
        return JSONResponse(
            described(request, service, variant, entry, original),
            media_type=media,
            headers={
                "Cache-Control": kept(service),
                "Link": f'<{LEVEL}>;rel="profile"',
                "Vary": "Accept",
            },
        )

    @router.get(
        "/iiif/3/{identifier}/{region}/{size}/{rotation}/{quality_format}",
        response_class=Response,
        responses={
            200: {
                "content": {media: {} for media in MEDIA_TYPES.values()},
                "description": "px; X-Clearzoom-Pixels says whether they are original, reduced, "
                "interpolated or inferred, X-Clearzoom-Model by which weights",
            },
            304: {"description": "the client has it"},
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
        """Give a part of a picture in a size; ^ before the size lets detail be inferred."""
        quality, _, suffix = unquote(quality_format).partition(".")
        variant, entry, original = await find(request, identifier)
        asked = (unquote(region), unquote(size), unquote(rotation), quality, suffix)
        source_px = (original.source.width_px, original.source.height_px)
        limits = service.limits(variant)
        view = parse_view(variant, source_px, limits, *asked)
        if view.factor > 1 and not entry.upscaling:
            raise RefusedError(501, "upscaling is switched off for this picture")
        same = f"{base_of(request, variant)}/{canonical(view, limits)}"
        links = {"Link": f'<{same}>;rel="canonical",<{LEVEL}>;rel="profile"'}
        return await answer(request, original, view, if_none_match, links)

    @router.get("/dzi/{name}.dzi", response_class=Response)
    async def deep_zoom(request: Request, name: Identifier) -> Response:
        """Describe a picture as Deep Zoom does."""
        variant, _, original = await find(request, name)
        described = _DZI.format(
            format=_dzi_format(original, variant),
            overlap=_DZI_OVERLAP_PX,
            tile=_DZI_TILE_PX,
            width=original.source.width_px * variant.scale,
            height=original.source.height_px * variant.scale,
        )
        return Response(
            described, media_type="application/xml", headers={"Cache-Control": kept(service)}
        )

    @router.get("/dzi/{name}_files/{level}/{place}", response_class=Response)
    async def deep_zoom_tile(
        request: Request,
        name: Identifier,
        level: int,
        place: Annotated[str, Path(examples=["0_0.jpg"])],
        if_none_match: KnownTags = None,
    ) -> Response:
        """Give one tile of a level."""
        variant, entry, original = await find(request, name)
        view = _dzi_view(variant, original, level, place)
        if view.factor > 1 and not entry.upscaling:
            raise RefusedError(501, "upscaling is switched off for this picture")
        return await answer(request, original, view, if_none_match, {})

    return router


def found(service: Service, identifier: str) -> tuple[Variant, Entry]:
    """Find what an identifier from a URL names; a file whose name looks like a virtual one wins.

    Raises:
        MissingFileError: there is none.
        RefusedError: 501 for a virtual picture where upscaling is switched off.
    """
    text = unquote(identifier, errors="strict") if _is_utf8(identifier) else identifier
    variant = parse_variant(text)
    if variant.scale > 1 and service.library.has(text):
        variant = Variant(text)
    entry = service.library.find(variant.identifier)
    if variant.scale > 1 and not entry.upscaling:
        raise RefusedError(501, "upscaling is switched off for this picture")
    return variant, entry


def _is_utf8(identifier: str) -> bool:
    try:
        unquote(identifier, errors="strict")
    except UnicodeDecodeError:
        return False
    return True


def kept(service: Service) -> str:
    """Say by whom an answer may be kept; it is asked for again, by its tag: pictures change."""
    return f"{'private' if service.settings.token else 'public'}, no-cache"


def root_of(request: Request) -> str:
    """Give the address under which the client found this server, without a slash."""
    return f"{request.url.scheme}://{request.url.netloc}"


def base_of(request: Request, variant: Variant) -> str:
    """Give the Image API's base URI of a picture."""
    return f"{root_of(request)}/iiif/3/{encoded(variant.text)}"


def described(
    request: Request,
    service: Service,
    variant: Variant,
    entry: Entry,
    original: Original,
) -> dict[str, Any]:
    """Make a picture's info.json."""
    width = original.source.width_px * variant.scale
    height = original.source.height_px * variant.scale
    limits = service.limits(variant)
    most = max(1, int(min(limits.width, limits.zoom * max(width, height))))
    said: dict[str, Any] = {
        "@context": CONTEXT,
        "id": base_of(request, variant),
        "type": "ImageService3",
        "protocol": "http://iiif.io/api/image",
        "profile": "level2",
        "width": width,
        "height": height,
        "maxWidth": most,
        "maxHeight": most,
        "maxArea": limits.area,
        "sizes": tile_sizes(width, height, limits),
        "tiles": [{"width": TILE_PX, "scaleFactors": scale_factors(width, height)}],
        "preferredFormats": ["png"] if variant.fidelity else ["jpg"],
        "extraFormats": ["webp"],
        "extraQualities": ["color", "gray", "bitonal"],
        "extraFeatures": ["canonicalLinkHeader", "mirroring", "profileLinkHeader"],
    }
    if entry.upscaling:
        said["extraFeatures"].append("sizeUpscaling")
    if entry.marks.iiif_rights is not None:
        said["rights"] = entry.marks.iiif_rights
    source = base_of(request, Variant(variant.identifier))
    own: dict[str, Any] = {"pixels": "original"}
    if variant.scale > 1:
        said["seeAlso"] = [
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
    said["clearzoom"] = own
    return said


def _dzi_format(original: Original, variant: Variant) -> str:
    return "png" if original.source.has_alpha or variant.fidelity else "jpg"


def _dzi_view(variant: Variant, original: Original, level: int, place: str) -> View:
    """One tile: levels halve, and tiles overlap their neighbours by a px."""
    source_px = (original.source.width_px, original.source.height_px)
    width, height = (side * variant.scale for side in source_px)
    last = (max(width, height) - 1).bit_length()
    name, _, suffix = place.partition(".")
    column, _, row = name.partition("_")
    if not (
        0 <= level <= last and column.isdecimal() and row.isdecimal() and suffix in MEDIA_TYPES
    ):
        raise RefusedError(404, "there is no such tile")
    shrink = 2 ** (last - level)
    level_px = (-(-width // shrink), -(-height // shrink))
    edges = []
    for at, length in zip((int(column), int(row)), level_px, strict=True):
        start = at * _DZI_TILE_PX
        if start >= length:
            raise RefusedError(404, "there is no such tile")
        edges.append(
            (
                max(0, start - _DZI_OVERLAP_PX),
                min(length, start + _DZI_TILE_PX + _DZI_OVERLAP_PX),
            )
        )
    (left, right), (top, bottom) = edges
    box = Box(
        left * shrink,
        top * shrink,
        min(width, right * shrink) - left * shrink,
        min(height, bottom * shrink) - top * shrink,
    )
    return View(variant, source_px, box, right - left, bottom - top, suffix=suffix)  # type: ignore[arg-type]
