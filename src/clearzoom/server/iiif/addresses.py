"""Addresses of pictures: what an identifier in a URL names, and the URLs that answers state."""

from typing import Annotated
from urllib.parse import unquote

from fastapi import Path, Request

from clearzoom.server.error_answers import RefusedError
from clearzoom.server.gallery.library import Entry
from clearzoom.server.iiif.identifiers import Variant, encoded, parse_variant
from clearzoom.server.iiif.image_request import ApiVersion
from clearzoom.server.public_address import public_address
from clearzoom.server.tiles.service import Service

Identifier = Annotated[
    str,
    Path(
        description="A picture, or a virtual one: ID~x4, ID~x4,MODEL, ID~x4,bicubic",
        examples=["cat.png~x4"],
    ),
]


def resolve_identifier(
    service: Service, identifier: str, *, described: bool = False
) -> tuple[Variant, Entry]:
    """Find what an identifier names; a file with a name like a virtual picture's comes first.

    Args:
        service: whose library is searched.
        identifier: a segment of a URL, still encoded.
        described: whether it is only described, which all may read.

    Raises:
        MissingFileError: there is no such picture.
        RefusedError: 501 for a virtual picture where upscaling is switched off; 401 where the
            visitor may not see it.
    """
    try:
        text = unquote(identifier, errors="strict")
    except UnicodeDecodeError:
        text = identifier
    is_name = "~" in text and service.library.has(text)
    variant = Variant(text) if is_name else parse_variant(text)
    entry = service.library.find(variant.identifier, described=described)
    if variant.scale > 1:
        check_upscaling(entry)
    return variant, entry


def check_upscaling(entry: Entry) -> None:
    """Refuse to infer detail of a picture whose owner has switched that off.

    Raises:
        RefusedError: 501.
    """
    if not entry.upscaling:
        raise RefusedError(501, "upscaling is switched off for this picture")


def root_of(request: Request) -> str:
    """Return the address at which the client reaches this server, without a slash."""
    return public_address(request.scope).root


def base_of(request: Request, variant: Variant, version: ApiVersion = 3) -> str:
    """Return a picture's base URI in a version of the Image API."""
    return f"{root_of(request)}/iiif/{version}/{encoded(variant.text)}"
