"""Answers with the pixels of a picture, and what the answers about pictures have in common."""

from typing import Annotated

from fastapi import Header, Request
from fastapi.responses import Response

from clearzoom.server.error_answers import error_responses
from clearzoom.server.iiif.image_request import MEDIA_TYPES
from clearzoom.server.tiles.originals import Original
from clearzoom.server.tiles.service import Service
from clearzoom.server.tiles.views import View

PICTURE_ERRORS = error_responses(400, 401, 403, 404, 413, 415, 429, 501, 503)
KnownTags = Annotated[str | None, Header(alias="If-None-Match")]


def cache_control(service: Service) -> str:
    """Return the Cache-Control header of a picture's answers.

    Caches may store them, and must ask again by the entity tag, since pictures change.
    """
    return f"{'private' if service.settings.token else 'public'}, no-cache"


async def tile_response(
    service: Service,
    request: Request,
    original: Original,
    view: View,
    known_tags: str | None,
    headers: dict[str, str] | None = None,
) -> Response:
    """Answer a view: its pixels and what they are, or 304 where the client has them.

    Args:
        service: makes the pixels.
        request: the request that waits for them.
        original: the picture that the view's variant names.
        view: the part of it, and its size.
        known_tags: the If-None-Match header.
        headers: further headers of the answer.
    """

    def is_known(etag: str) -> bool:
        tags = [tag.strip().removeprefix("W/") for tag in (known_tags or "").split(",")]
        return etag in tags or "*" in tags

    etag, answer = await service.tile(request, original, view, is_known)
    headers = {"Cache-Control": cache_control(service), "ETag": etag} | (headers or {})
    if answer is None:
        return Response(status_code=304, headers=headers)
    headers["X-Clearzoom-Pixels"] = answer.kind
    if answer.model is not None:
        headers["X-Clearzoom-Model"] = answer.model
    return Response(answer.content, media_type=MEDIA_TYPES[view.suffix], headers=headers)
