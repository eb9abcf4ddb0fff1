"""Routes of the list of pictures, and of uploads."""

import asyncio
import os
import secrets
from typing import Annotated
from urllib.parse import unquote

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, Field

from clearzoom.errors import SizeError
from clearzoom.io.atomic import discard
from clearzoom.io.reading import Source
from clearzoom.server.access.services import PATH
from clearzoom.server.error_answers import RefusedError, error_responses
from clearzoom.server.gallery.compression import compression_error_of
from clearzoom.server.gallery.library import Entry, Library, Locked, Unreadable
from clearzoom.server.gallery.uploads import BodyReceiver
from clearzoom.server.iiif.addresses import Identifier
from clearzoom.server.iiif.identifiers import encoded
from clearzoom.server.iiif.responses import PICTURE_ERRORS
from clearzoom.server.public_address import public_address
from clearzoom.server.settings import VIRTUAL_SCALES
from clearzoom.server.tiles.service import Service

_LONGEST_NAME = 200
_UPLOADS_SHARE = 0.25
"""Share of the disk cache for uploads; the oldest are deleted."""


class PictureResponse(BaseModel):
    """A picture and its addresses."""

    id: str = Field(examples=["cat.png"])
    name: str
    folder: str = Field(
        description="Its folder below the served one; empty for the served one itself."
    )
    width: int
    height: int
    kind: str = Field(examples=["PNG"])
    pages: int = Field(description="Pictures in the file; ID~p2 is the second.")
    page: int = Field(description="Which of them this is, from 1.")
    bytes: int
    frames: int = Field(description="More than 1: an animation, whose first frame is served.")
    compression_error: float = Field(
        description="Error of its compression in levels of 255, estimated from the header; "
        "0: lossless."
    )
    upscaling: bool
    max_scale: int | None = Field(description="The largest scale of its virtual pictures.")
    files: bool = Field(
        description="Whether /api/enlarge makes a file of its enlargement; of a file with "
        "several pages, or where the owner has a watermark put on inferred pixels, it does not."
    )
    rights: str | None
    attribution: str | None
    label: str | None
    iiif: str
    thumbnail: str
    manifest: str


class UnreadableResponse(BaseModel):
    """A file that cannot be read as a picture."""

    name: str
    why: str


class LockedResponse(BaseModel):
    """A group whose pictures are listed after logging in."""

    group: str = Field(examples=["readers"])
    login: str = Field(description="Address of the page on which people log in.")


class PicturesResponse(BaseModel):
    """All pictures of the served folder that the visitor may see."""

    pictures: list[PictureResponse]
    unreadable: list[UnreadableResponse]
    locked: list[LockedResponse]


def picture_router(service: Service, bodies: BodyReceiver) -> APIRouter:
    """Make the routes."""
    router = APIRouter(prefix="/api/pictures", tags=["pictures"], responses=PICTURE_ERRORS)
    library, settings = service.library, service.settings

    @router.get("")
    async def pictures(request: Request) -> PicturesResponse:
        """List the pictures of the served folder and below; uploads are not listed."""
        return await asyncio.to_thread(_listed, library, public_address(request.scope).prefix)

    @router.get("/{identifier}")
    async def picture(request: Request, identifier: Identifier) -> PictureResponse:
        """Describe one picture or upload."""
        entry = library.find(unquote(identifier, errors="replace"))
        header = await asyncio.to_thread(library.header, entry)
        return _picture(entry, header, public_address(request.scope).prefix)

    @router.post(
        "",
        status_code=201,
        responses=error_responses(408, 507),
        openapi_extra={
            "requestBody": {
                "required": True,
                "content": {"image/*": {"schema": {"type": "string", "format": "binary"}}},
            }
        },
    )
    async def upload(
        request: Request,
        name: Annotated[str, Query(max_length=_LONGEST_NAME, examples=["holiday.jpg"])] = "",
    ) -> PictureResponse:
        """Add a picture for as long as this server runs; only its identifier leads to it."""
        received = settings.session / f"received-{secrets.token_hex(8)}"
        try:
            await bodies.receive(request, received)
            try:
                entry = await asyncio.to_thread(
                    library.add, _printable(name), received, settings.max_upload_pixels
                )
            except SizeError:
                most = f"{settings.max_upload_pixels:,}"
                raise RefusedError(413, f"the picture has more than {most} px") from None
        finally:
            discard(received)
        try:  # the header may be sound where the rest is damaged
            await service.opened(request, entry)
        except BaseException:
            library.remove(entry)
            raise
        limit = int(settings.cache_bytes * _UPLOADS_SHARE)
        await asyncio.to_thread(library.forget_oldest, entry, limit)
        return _picture(entry, library.header(entry), public_address(request.scope).prefix)

    @router.delete("/{identifier}", status_code=204)
    async def remove(identifier: Identifier) -> None:
        """Delete an upload."""
        entry = library.find(unquote(identifier, errors="replace"))
        if not entry.is_upload:
            raise RefusedError(403, "only uploads can be deleted")
        library.remove(entry)

    return router


def _printable(name: str) -> str:
    """Reduce a client's file name to its last part, without what is not printable."""
    last = os.path.basename(name.replace("\\", "/"))  # noqa: PTH119 - a foreign name, no path
    return "".join(letter for letter in last if letter.isprintable()) or "picture"


def _listed(library: Library, prefix: str) -> PicturesResponse:
    pictures, unreadable, groups = [], [], set[str]()
    for each in library.pictures():
        if isinstance(each, Locked):
            groups.add(each.group)
        elif isinstance(each, Unreadable):
            unreadable.append(UnreadableResponse(name=each.identifier, why=each.why))
        else:
            pictures.append(_picture(*each, prefix))
    logins = {group: f"{prefix}{PATH}/access/{group}" for group in sorted(groups)}
    locked = [LockedResponse(group=group, login=login) for group, login in logins.items()]
    return PicturesResponse(pictures=pictures, unreadable=unreadable, locked=locked)


def _picture(entry: Entry, source: Source, prefix: str) -> PictureResponse:
    segment = encoded(entry.identifier)
    marks = entry.marks
    return PictureResponse(
        id=entry.identifier,
        name=entry.name,
        folder=entry.identifier.rpartition("/")[0],
        width=source.width_px,
        height=source.height_px,
        kind=source.kind,
        pages=entry.pages,
        page=entry.page or 1,
        bytes=entry.path.stat().st_size,
        frames=source.frames,
        compression_error=compression_error_of(source),
        upscaling=entry.upscaling,
        max_scale=max(VIRTUAL_SCALES) if entry.upscaling else None,
        files=entry.pages == 1 and not (marks.watermark and marks.watermark.is_on("inferred")),
        rights=str(marks.rights) if marks.rights else None,
        attribution=marks.attribution,
        label=marks.label,
        iiif=f"{prefix}/iiif/3/{segment}",
        thumbnail=f"{prefix}/iiif/3/{segment}/full/!400,400/0/default.jpg",
        manifest=f"{prefix}/iiif/presentation/3/{segment}/manifest",
    )
