"""Deep Zoom, for pictures and virtual pictures."""

import re
from typing import Annotated

from fastapi import APIRouter, Path, Request
from fastapi.responses import Response

from clearzoom.core.box import Box
from clearzoom.server.error_answers import RefusedError
from clearzoom.server.iiif.addresses import Identifier, check_upscaling, resolve_identifier
from clearzoom.server.iiif.identifiers import Variant
from clearzoom.server.iiif.image_request import MEDIA_TYPES
from clearzoom.server.iiif.responses import (
    PICTURE_ERRORS,
    KnownTags,
    cache_control,
    tile_response,
)
from clearzoom.server.tiles.original import Original
from clearzoom.server.tiles.service import Service
from clearzoom.server.tiles.views import View

_TILE_PX, _OVERLAP_PX = 510, 1
_PLACE = re.compile(r"(?P<column>\d{1,9})_(?P<row>\d{1,9})\.(?P<suffix>[a-z]+)")
_DESCRIPTION = (
    '<?xml version="1.0" encoding="UTF-8"?>\n'
    '<Image xmlns="http://schemas.microsoft.com/deepzoom/2008" Format="{format}" '
    'Overlap="{overlap}" TileSize="{tile}"><Size Width="{width}" Height="{height}"/></Image>\n'
)


def deep_zoom_router(service: Service) -> APIRouter:
    """Make the routes."""
    router = APIRouter(tags=["pictures"], responses=PICTURE_ERRORS)

    @router.get("/dzi/{name}.dzi", response_class=Response)
    async def deep_zoom(request: Request, name: Identifier) -> Response:
        """Describe a picture as Deep Zoom does."""
        variant, entry = resolve_identifier(service, name)
        source = (await service.opened(request, entry)).source
        description = _DESCRIPTION.format(
            format="png" if source.has_alpha or variant.fidelity else "jpg",
            overlap=_OVERLAP_PX,
            tile=_TILE_PX,
            width=source.width_px * variant.scale,
            height=source.height_px * variant.scale,
        )
        headers = {"Cache-Control": cache_control(service, entry)}
        return Response(description, media_type="application/xml", headers=headers)

    @router.get("/dzi/{name}_files/{level}/{place}", response_class=Response)
    async def deep_zoom_tile(
        request: Request,
        name: Identifier,
        level: int,
        place: Annotated[str, Path(examples=["0_0.jpg"])],
        if_none_match: KnownTags = None,
    ) -> Response:
        """Return one tile of a level."""
        variant, entry = resolve_identifier(service, name)
        original = await service.opened(request, entry)
        view = _view(variant, original, level, place)
        if view.factor > 1:
            check_upscaling(entry)
        return await tile_response(service, request, entry, original, view, if_none_match)

    return router


def _view(variant: Variant, original: Original, level: int, place: str) -> View:
    """Find the view of a tile: each level is half the next, and tiles overlap by a px."""
    source_px = (original.source.width_px, original.source.height_px)
    width, height = (side * variant.scale for side in source_px)
    last = (max(width, height) - 1).bit_length()
    found = _PLACE.fullmatch(place)
    if found is None or not 0 <= level <= last or found["suffix"] not in MEDIA_TYPES:
        raise RefusedError(404, "there is no such tile")
    shrink = 2 ** (last - level)
    level_px = (-(-width // shrink), -(-height // shrink))
    edges = []
    for at, length in zip(map(int, found.group("column", "row")), level_px, strict=True):
        start = at * _TILE_PX
        if start >= length:
            raise RefusedError(404, "there is no such tile")
        edges.append(
            (
                max(0, start - _OVERLAP_PX),
                min(length, start + _TILE_PX + _OVERLAP_PX),
            )
        )
    (left, right), (top, bottom) = edges
    box = Box(
        left * shrink,
        top * shrink,
        min(width, right * shrink) - left * shrink,
        min(height, bottom * shrink) - top * shrink,
    )
    return View(variant, source_px, box, right - left, bottom - top, suffix=found["suffix"])  # type: ignore[arg-type]
