"""The info.json of pictures and virtual pictures, in both versions of the Image API.

References:
    https://iiif.io/api/image/3.0/ and https://iiif.io/api/image/2.1/ , section 5.
"""

from typing import Any

from fastapi import Request

from clearzoom.core.box import Box
from clearzoom.server.access.services import add_services
from clearzoom.server.gallery.library import Entry
from clearzoom.server.iiif.addresses import base_of, root_of
from clearzoom.server.iiif.identifiers import BICUBIC, Variant
from clearzoom.server.iiif.image_request import (
    MEDIA_TYPES,
    TILE_PX,
    ApiVersion,
    scale_factors,
    tile_sizes,
)
from clearzoom.server.settings import VIRTUAL_SCALES
from clearzoom.server.tiles.original import Original
from clearzoom.server.tiles.service import Service

_PROTOCOL = "http://iiif.io/api/image"
CONTEXTS: dict[ApiVersion, str] = {
    version: f"{_PROTOCOL}/{version}/context.json" for version in (2, 3)
}
LEVELS: dict[ApiVersion, str] = {
    version: f"{_PROTOCOL}/{version}/level2.json" for version in (2, 3)
}
_QUALITIES = ["color", "gray", "bitonal"]
_FEATURES = ["canonicalLinkHeader", "mirroring", "profileLinkHeader", "rotationArbitrary"]


def image_info(
    request: Request,
    service: Service,
    variant: Variant,
    entry: Entry,
    original: Original,
    version: ApiVersion,
) -> dict[str, Any]:
    """Describe a picture or a virtual picture.

    Args:
        request: the request, whose address the identifiers begin with.
        service: states the limits.
        variant: the picture or virtual picture.
        entry: the picture in the library.
        original: the picture, opened.
        version: version of the Image API.
    """
    width = original.source.width_px * variant.scale
    height = original.source.height_px * variant.scale
    limits, whole = service.limits(variant), Box(0, 0, width, height)
    longest = max(1, int(min(limits.width, limits.zoom * max(width, height))))
    most = {"maxWidth": longest, "maxHeight": longest, "maxArea": limits.area_at(variant.scale)}
    base = base_of(request, variant, version)
    info: dict[str, Any] = {"@context": CONTEXTS[version], "protocol": _PROTOCOL}
    info |= {"width": width, "height": height}
    info["sizes"] = tile_sizes(width, height, limits.of_part(whole, variant.scale))
    info["tiles"] = [{"width": TILE_PX, "scaleFactors": scale_factors(width, height)}]
    if version == 2:
        info |= {"@id": base, "profile": [LEVELS[2], _profile(entry) | most]} | _rights_2(entry)
    else:
        info |= {"id": base, "type": "ImageService3", "profile": "level2"} | most
        info["preferredFormats"] = ["png"] if variant.fidelity else ["jpg"]
        info["extraFormats"] = ["webp", "avif"]
        info["extraQualities"] = _QUALITIES
        info["extraFeatures"] = _FEATURES + (["sizeUpscaling"] if entry.upscaling else [])
        if entry.marks.iiif_rights is not None:
            info["rights"] = entry.marks.iiif_rights
        if variant.scale > 1:
            see = f"{base_of(request, Variant(variant.identifier), version)}/info.json"
            info["seeAlso"] = [{"id": see, "type": "Dataset", "format": "application/json"}]
    info["clearzoom"] = _own(request, service, variant, entry, original, version)
    add_services(info, root_of(request), entry.identifier, entry.marks.access)
    return info


def _profile(entry: Entry) -> dict[str, Any]:
    """Describe in version 2.1 what is done beyond the level, and all formats and qualities."""
    features = [*_FEATURES, "regionSquare"]
    return {
        "formats": list(MEDIA_TYPES),
        "qualities": ["default", *_QUALITIES],
        "supports": features + (["sizeAboveFull"] if entry.upscaling else []),
    }


def _rights_2(entry: Entry) -> dict[str, str]:
    """State the rights in version 2.1, which allows any address of a licence, and a text."""
    stated = {"attribution": entry.marks.attribution, "license": entry.marks.rights}
    return {name: str(value) for name, value in stated.items() if value}


def _own(
    request: Request,
    service: Service,
    variant: Variant,
    entry: Entry,
    original: Original,
    version: ApiVersion,
) -> dict[str, Any]:
    """Say of which pixels a picture is made, or which virtual pictures of it there are."""
    own: dict[str, Any] = {"pixels": "original"}
    if variant.scale > 1:
        return {
            "pixels": "interpolated" if variant.model == BICUBIC else "inferred",
            "source": base_of(request, Variant(variant.identifier), version),
            "source_width": original.source.width_px,
            "source_height": original.source.height_px,
            "scale": variant.scale,
            "model": variant.model or service.settings.model,
            "strength": variant.strength,
            "denoise": "auto" if variant.denoise is None else variant.denoise,
        }
    if entry.upscaling:
        own["virtual"] = [
            base_of(request, Variant(variant.identifier, scale), version)
            for scale in VIRTUAL_SCALES
        ]
    return own
