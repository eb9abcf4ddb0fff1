"""IIIF Presentation API 3.0: manifests of pictures, files and folders, and collections of the tree.

References:
    https://iiif.io/api/presentation/3.0/
"""

import asyncio
from typing import Annotated, Any
from urllib.parse import unquote

from fastapi import APIRouter, Path, Request
from fastapi.responses import Response

from clearzoom.errors import MissingFileError
from clearzoom.server.gallery.folders import (
    Folder,
    files_of,
    find_folder,
    folders_in,
    is_folder,
    pages_of,
)
from clearzoom.server.gallery.library import Entry
from clearzoom.server.iiif.addresses import Identifier, resolve_identifier, root_of
from clearzoom.server.iiif.folder_changes import folder_change_ns
from clearzoom.server.iiif.identifiers import Variant, parse_variant
from clearzoom.server.iiif.manifests import CONTEXT, Describer, Leaf, leaf_like
from clearzoom.server.iiif.responses import (
    PICTURE_ERRORS,
    cache_control,
    described,
    last_change_ns,
)
from clearzoom.server.tiles.service import Service

_MEDIA_TYPE = f'application/ld+json;profile="{CONTEXT}"'
_ANSWERS: dict[int | str, dict[str, Any]] = {
    200: {"content": {"application/ld+json": {}}},
    304: {"description": "The client has it."},
}
FolderIdentifier = Annotated[
    str,
    Path(description="A folder's path below the served one.", examples=["scans%2F1905"]),
]


def presentation_router(service: Service) -> APIRouter:
    """Make the routes."""
    router = APIRouter(prefix="/iiif/presentation/3", tags=["pictures"], responses=PICTURE_ERRORS)
    library = service.library

    @router.get("/manifest", response_class=Response, responses=_ANSWERS)
    async def served_book(request: Request) -> Response:
        """Describe the pictures of the served folder itself as one book."""
        return await asyncio.to_thread(book, request, Variant(""))

    @router.get("/collection", response_class=Response, responses=_ANSWERS)
    async def served_collection(request: Request) -> Response:
        """List the folders and pictures of the served folder, for viewers like Mirador."""
        return await asyncio.to_thread(listed, request, "")

    @router.get("/{identifier}/manifest", response_class=Response, responses=_ANSWERS)
    async def manifest(request: Request, identifier: Identifier) -> Response:
        """Describe a picture, or a folder as one book, for viewers like Mirador."""
        return await asyncio.to_thread(picture_or_book, request, identifier)

    @router.get("/{identifier}/collection", response_class=Response, responses=_ANSWERS)
    async def collection(request: Request, identifier: FolderIdentifier) -> Response:
        """List the folders and pictures of a folder."""
        return await asyncio.to_thread(listed, request, unquote(identifier, errors="replace"))

    def picture_or_book(request: Request, identifier: str) -> Response:
        try:
            variant, entry = resolve_identifier(service, identifier, described=True)
        except MissingFileError:
            text = unquote(identifier, errors="replace")
            variant = Variant(text) if is_folder(library, text) else parse_variant(text)
            try:
                return book(request, variant)
            except MissingFileError:
                raise MissingFileError(
                    "there is no such picture or folder; see /iiif/presentation/3/collection"
                ) from None
        service.renderer.measure_once(variant)
        source = library.header(entry)
        leaves = [leaf_like(variant, *page) for page in pages_of(library, entry, source)]
        content = Describer(service, root_of(request)).picture(Leaf(variant, entry, source), leaves)
        return answer(request, entry, content, last_change_ns(service, entry))

    def book(request: Request, variant: Variant) -> Response:
        folder = find_folder(library, variant.identifier)
        service.renderer.measure_once(variant)
        files = list(files_of(library, folder))
        leaves = [leaf_like(variant, *page) for file in files for page in pages_of(library, *file)]
        if not leaves:
            raise MissingFileError("there is no picture in this folder; see its collection")
        content = Describer(service, root_of(request)).book(folder, variant, leaves)
        entries = [entry for entry, _ in files]
        return answer(request, folder, content, folder_change_ns(library, folder, entries))

    def listed(request: Request, identifier: str) -> Response:
        folder = find_folder(library, identifier)
        below = folders_in(library, folder)
        files = [leaf_like(Variant(""), *file) for file in files_of(library, folder)]
        content = Describer(service, root_of(request)).collection(folder, below, files)
        changed_ns = [folder_change_ns(library, each) for each in below]
        changed_ns.append(folder_change_ns(library, folder, [file.entry for file in files]))
        return answer(request, folder, content, max(changed_ns))

    def answer(
        request: Request, shown: Entry | Folder, content: dict[str, Any], changed_ns: int
    ) -> Response:
        headers = {"Cache-Control": cache_control(service, shown)}
        return described(request, content, _MEDIA_TYPE, changed_ns, headers)

    return router
