"""IIIF Presentation API 3.0: a manifest for each picture and virtual picture.

References:
    https://iiif.io/api/presentation/3.0/
"""

from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse

from clearzoom.server.gallery.library import Entry
from clearzoom.server.iiif.addresses import Identifier, base_of, resolve_identifier, root_of
from clearzoom.server.iiif.identifiers import BICUBIC, Variant, encoded
from clearzoom.server.iiif.responses import PICTURE_ERRORS, cache_control
from clearzoom.server.tiles.service import Service

_CONTEXT = "http://iiif.io/api/presentation/3/context.json"
_MEDIA_TYPE = f'application/ld+json;profile="{_CONTEXT}"'
_THUMBNAIL_PX = 400


def presentation_router(service: Service) -> APIRouter:
    """Make the route."""
    router = APIRouter(tags=["pictures"], responses=PICTURE_ERRORS)

    @router.get(
        "/iiif/presentation/3/{identifier}/manifest",
        responses={200: {"content": {"application/ld+json": {}}}},
    )
    async def manifest(request: Request, identifier: Identifier) -> JSONResponse:
        """Describe a picture for viewers like Mirador and Universal Viewer."""
        variant, entry = resolve_identifier(service, identifier)
        source = (await service.opened(request, entry)).source
        size_px = (source.width_px * variant.scale, source.height_px * variant.scale)
        return JSONResponse(
            _manifest(request, service, variant, entry, size_px),
            media_type=_MEDIA_TYPE,
            headers={"Cache-Control": cache_control(service, entry)},
        )

    return router


def _manifest(
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
    content: dict[str, Any] = {
        "@context": _CONTEXT,
        "id": f"{own}/manifest",
        "type": "Manifest",
        "label": {"none": [label + _kind_of(variant)]},
    }
    if variant.scale > 1 and variant.model != BICUBIC:
        model = variant.model or service.settings.model
        content["summary"] = {
            "en": [f"Detail finer than the scanned pixels is inferred by clearzoom ({model})."],
            "zh-Hant": [f"比原始像素更細的部分由 clearzoom（{model}）推論而得。"],  # noqa: RUF001
        }
    if entry.marks.iiif_rights is not None:
        content["rights"] = entry.marks.iiif_rights
    elif entry.marks.rights is not None:
        uri = str(entry.marks.rights)
        content["metadata"] = [{"label": {"en": ["Rights"]}, "value": {"none": [uri]}}]
    if entry.marks.attribution:
        content["requiredStatement"] = {
            "label": {"en": ["Attribution"], "zh-Hant": ["出處"]},
            "value": {"none": [entry.marks.attribution]},
        }
    largest_px = (max(1, int(width * share)), max(1, int(height * share)))
    small_px = (max(1, round(width * thumbnail)), max(1, round(height * thumbnail)))
    content["thumbnail"] = [_image(image, f"{small_px[0]},{small_px[1]}", small_px)]
    canvas = f"{own}/canvas/1"
    annotation = {
        "id": f"{canvas}/painting/1/image",
        "type": "Annotation",
        "motivation": "painting",
        "body": _image(image, "max", largest_px),
        "target": canvas,
    }
    page = {"id": f"{canvas}/painting/1", "type": "AnnotationPage", "items": [annotation]}
    content["items"] = [
        {
            "id": canvas,
            "type": "Canvas",
            "label": content["label"],
            "width": width,
            "height": height,
            "items": [page],
        }
    ]
    return content


def _image(base: str, size: str, size_px: tuple[int, int]) -> dict[str, Any]:
    return {
        "id": f"{base}/full/{size}/0/default.jpg",
        "type": "Image",
        "format": "image/jpeg",
        "width": size_px[0],
        "height": size_px[1],
        "service": [{"id": base, "type": "ImageService3", "profile": "level2"}],
    }


def _kind_of(variant: Variant) -> str:
    if variant.scale == 1:
        return ""
    what = "interpolated" if variant.model == BICUBIC else "inferred"
    return f" (×{variant.scale}, {what})"  # noqa: RUF001
