"""IIIF Presentation API 3.0: a manifest for each picture and virtual picture.

References:
    https://iiif.io/api/presentation/3.0/
"""

from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse

from clearzoom.server.gallery.library import Entry
from clearzoom.server.iiif.identifiers import BICUBIC, Variant, encoded
from clearzoom.server.iiif.image_routes import (
    FAILURES,
    Identifier,
    base_of,
    found,
    kept,
    root_of,
)
from clearzoom.server.tiles.service import Service

_CONTEXT = "http://iiif.io/api/presentation/3/context.json"
_MEDIA_TYPE = f'application/ld+json;profile="{_CONTEXT}"'
_THUMBNAIL_PX = 400


def presentation_router(service: Service) -> APIRouter:
    """Make the route."""
    router = APIRouter(tags=["pictures"], responses=FAILURES)

    @router.get(
        "/iiif/presentation/3/{identifier}/manifest",
        responses={200: {"content": {"application/ld+json": {}}}},
    )
    async def manifest(request: Request, identifier: Identifier) -> JSONResponse:
        """Describe a picture for viewers like Mirador and Universal Viewer."""
        variant, entry = found(service, identifier)
        source = (await service.opened(request, entry)).source
        size_px = (source.width_px * variant.scale, source.height_px * variant.scale)
        return JSONResponse(
            _described(request, service, variant, entry, size_px),
            media_type=_MEDIA_TYPE,
            headers={"Cache-Control": kept(service)},
        )

    return router


def _described(
    request: Request,
    service: Service,
    variant: Variant,
    entry: Entry,
    size_px: tuple[int, int],
) -> dict[str, Any]:
    width, height = size_px
    own = f"{root_of(request)}/iiif/presentation/3/{encoded(variant.text)}"
    image = base_of(request, variant)
    share = service.limits(variant).shrink(width, height)
    thumbnail = min(1.0, _THUMBNAIL_PX / max(width, height))
    label = entry.marks.label or entry.name
    said: dict[str, Any] = {
        "@context": _CONTEXT,
        "id": f"{own}/manifest",
        "type": "Manifest",
        "label": {"none": [label + _kind_of(variant)]},
    }
    if variant.scale > 1 and variant.model != BICUBIC:
        model = variant.model or service.settings.model
        said["summary"] = {
            "en": [f"Detail finer than the scanned pixels is inferred by clearzoom ({model})."],
            "zh-Hant": [f"比原始像素更細的部分由 clearzoom（{model}）推論而得。"],  # noqa: RUF001
        }
    if entry.marks.iiif_rights is not None:
        said["rights"] = entry.marks.iiif_rights
    elif entry.marks.rights is not None:
        uri = str(entry.marks.rights)
        said["metadata"] = [{"label": {"en": ["Rights"]}, "value": {"none": [uri]}}]
    if entry.marks.attribution:
        said["requiredStatement"] = {
            "label": {"en": ["Attribution"], "zh-Hant": ["出處"]},
            "value": {"none": [entry.marks.attribution]},
        }
    body = {
        "id": f"{image}/full/max/0/default.jpg",
        "type": "Image",
        "format": "image/jpeg",
        "width": max(1, int(width * share)),
        "height": max(1, int(height * share)),
        "service": [{"id": image, "type": "ImageService3", "profile": "level2"}],
    }
    canvas = f"{own}/canvas/1"
    small = (max(1, round(width * thumbnail)), max(1, round(height * thumbnail)))
    said["thumbnail"] = [
        {
            "id": f"{image}/full/{small[0]},{small[1]}/0/default.jpg",
            "type": "Image",
            "format": "image/jpeg",
            "width": small[0],
            "height": small[1],
            "service": [{"id": image, "type": "ImageService3", "profile": "level2"}],
        }
    ]
    annotation = {
        "id": f"{canvas}/painting/1/image",
        "type": "Annotation",
        "motivation": "painting",
        "body": body,
        "target": canvas,
    }
    page = {"id": f"{canvas}/painting/1", "type": "AnnotationPage", "items": [annotation]}
    said["items"] = [
        {
            "id": canvas,
            "type": "Canvas",
            "label": said["label"],
            "width": width,
            "height": height,
            "items": [page],
        }
    ]
    return said


def _kind_of(variant: Variant) -> str:
    if variant.scale == 1:
        return ""
    what = "interpolated" if variant.model == BICUBIC else "inferred"
    return f" (×{variant.scale}, {what})"  # noqa: RUF001
