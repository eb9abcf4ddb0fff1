"""Answers with the pixels of a picture, and what the answers about pictures have in common."""

import hashlib
import json
import time
from collections.abc import Mapping
from dataclasses import replace
from email.utils import formatdate, parsedate_to_datetime
from typing import Annotated, Any

from fastapi import Header, Request
from fastapi.responses import Response

from clearzoom.errors import MissingFileError
from clearzoom.server.error_answers import error_responses
from clearzoom.server.gallery.folders import Folder
from clearzoom.server.gallery.library import Entry
from clearzoom.server.gallery.owner_file import marks_changed_ns
from clearzoom.server.iiif.image_request import MEDIA_TYPES
from clearzoom.server.iiif.large_answer import LARGE_BYTES, LargeAnswer
from clearzoom.server.tiles.original import Original
from clearzoom.server.tiles.service import Service
from clearzoom.server.tiles.views import View

PICTURE_ERRORS = error_responses(400, 401, 403, 404, 413, 415, 429, 501, 503)
KnownTags = Annotated[str | None, Header(alias="If-None-Match")]
_SECOND_NS = 1_000_000_000
STARTED_NS = time.time_ns()
"""Since then the settings of this process hold, which decide its answers too."""


def cache_control(service: Service, entry: Entry | Folder) -> str:
    """Return the Cache-Control header of a picture's answers, or of a folder's.

    Unless the owner allows caches to keep them, caches must ask again by the entity tag,
    since pictures change.
    """
    seconds = entry.marks.cache_seconds
    audience = "private" if service.settings.token else "public"
    return f"{audience}, max-age={seconds}" if seconds else f"{audience}, no-cache"


def last_change_ns(service: Service, entry: Entry) -> int:
    """Return when the latest of what decides a picture's answers changed, in ns since 1970.

    That is the picture, what its owner states of it, or the settings of this server.
    """
    try:
        state = entry.path.stat()
    except OSError:
        raise MissingFileError("there is no such picture; see /api/pictures") from None
    # A file that takes the place of another can have an older time of its own.
    changed_ns = [STARTED_NS, state.st_mtime_ns, state.st_ctime_ns]
    if not entry.is_upload:
        folder = service.library.folder
        changed_ns.append(marks_changed_ns(folder, entry.path.relative_to(folder)))
    return min(max(changed_ns), time.time_ns())


def described(
    request: Request,
    content: Mapping[str, Any],
    media_type: str,
    modified_ns: int,
    headers: Mapping[str, str],
) -> Response:
    """Answer with JSON, or with 304 where the client has it.

    Args:
        request: the request; If-None-Match counts, and without it If-Modified-Since.
        content: is sent as JSON.
        media_type: the JSON's media type.
        modified_ns: when it changed last, in ns since 1970.
        headers: further headers of both answers.
    """
    body = json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()
    tag = hashlib.sha256(media_type.encode() + b"\n" + body).hexdigest()[:32]
    # The tag is weak, since the answer may be compressed on its way.
    headers = {"ETag": f'W/"{tag}"', "Last-Modified": _http_date(modified_ns), **headers}
    known_tags = request.headers.get("if-none-match")
    if known_tags is None:
        is_known = _is_since(request.headers.get("if-modified-since"), modified_ns)
    else:
        is_known = _names(known_tags, tag)
    if is_known:
        return Response(status_code=304, headers=headers)
    return Response(body, media_type=media_type, headers=headers)


async def tile_response(
    service: Service,
    request: Request,
    entry: Entry,
    original: Original,
    view: View,
    known_tags: str | None,
    headers: dict[str, str] | None = None,
) -> Response:
    """Answer a view: its pixels and what they are, or 304 where the client has them.

    Args:
        service: makes the pixels.
        request: the request that waits for them.
        entry: the picture in the library.
        original: the picture that the view's variant names, opened.
        view: the part of it, and its size.
        known_tags: the If-None-Match header.
        headers: further headers of the answer.
    """
    modified_ns = last_change_ns(service, entry)

    def is_known(etag: str) -> bool:
        if known_tags is not None:  # comes before the date, which knows whole seconds alone
            return _names(known_tags, etag.strip('"'))
        return _is_since(request.headers.get("if-modified-since"), modified_ns)

    view = replace(view, watermark=entry.marks.watermark or None)
    etag, answer = await service.tile(request, original, view, is_known)
    headers = {
        "Cache-Control": cache_control(service, entry),
        "ETag": etag,
        "Last-Modified": _http_date(modified_ns),
    } | (headers or {})
    if answer is None:
        return Response(status_code=304, headers=headers)
    headers["X-Clearzoom-Pixels"] = answer.kind
    if answer.model is not None:
        headers["X-Clearzoom-Model"] = answer.model
    media_type = MEDIA_TYPES[view.suffix]
    if len(answer.content) >= LARGE_BYTES:
        return LargeAnswer(answer.content, media_type, headers, service.sending)
    return Response(answer.content, media_type=media_type, headers=headers)


def _names(known_tags: str, tag: str) -> bool:
    """Return whether an If-None-Match header names a tag; both may be weak."""
    tags = [each.strip().removeprefix("W/") for each in known_tags.split(",")]
    return f'"{tag}"' in tags or "*" in tags


def _is_since(date: str | None, modified_ns: int) -> bool:
    """Return whether nothing changed after an If-Modified-Since header's date, if it is one."""
    try:
        since = parsedate_to_datetime(date or "")
        return since.timestamp() >= modified_ns // _SECOND_NS
    except (ValueError, OverflowError):
        return False


def _http_date(at_ns: int) -> str:
    return formatdate(at_ns // _SECOND_NS, usegmt=True)
