"""XMP that exceeds a JPEG segment of 64 KB: a main packet, and an extension in pieces.

References:
    XMP Specification, Part 3 (2020), 1.1.3.1: Extended XMP in JPEG.
"""

import hashlib
import struct
from collections.abc import Iterable

from lxml import etree

from clearzoom.io.metadata.provenance import NAMESPACE as PROVENANCE
from clearzoom.io.metadata.xmp_packets import (
    RDF,
    Element,
    Field,
    descriptions,
    packed,
    parsed,
    top_fields,
    without_empty,
)

LONGEST_PACKET = 65_502
"""The most bytes of a main packet: a segment's 65,533 less the 29 and 2 of its head."""
_HEAD = b"http://ns.adobe.com/xmp/extension/\0"
_PIECE = 65_400
_NOTE = "http://ns.adobe.com/xmp/note/"
_HAS_EXTENDED = f"{{{_NOTE}}}HasExtendedXMP"
_EMPTY = (
    b'<x:xmpmeta xmlns:x="adobe:ns:meta/">'
    b'<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"></rdf:RDF></x:xmpmeta>'
)


def joined_xmp(packet: bytes, segments: Iterable[tuple[str, bytes]]) -> tuple[bytes, list[str]]:
    """Join a JPEG's main packet and its extension.

    Args:
        packet: the main packet.
        segments: the segments of the JPEG: name, such as APP1, and content.

    Returns:
        One packet that names no extension, and a line if part of the extension is missing.
    """
    if b"HasExtendedXMP" not in packet:
        return packet, []
    try:
        root = parsed(packet)
    except ValueError:  # The reader of the packet reports it.
        return packet, []
    references = [field for field in top_fields(root, _NOTE) if field.name == _HAS_EXTENDED]
    if not references:
        return packet, []
    problem = None
    try:
        extension = parsed(_extension(references[0].text.encode(), segments))
    except ValueError as error:
        problem = f"the extended part of XMP could not be read: {error}"
    else:
        rdf = next(root.iter(f"{RDF}RDF"))
        rdf.extend(list(descriptions(extension)))
    for field in references:
        field.remove()
    without_empty(root)
    return packed(root), [problem] if problem else []


def _extension(name: bytes, segments: Iterable[tuple[str, bytes]]) -> bytes:
    # A piece has the head, the MD5 of the whole as its name, the whole length and its own offset;
    # pieces may come in any order.
    start, whole, pieces = _HEAD + name, 0, {}
    for kind, data in segments:
        if kind == "APP1" and data.startswith(start) and len(data) >= len(start) + 8:
            whole, at = struct.unpack_from(">II", data, len(start))
            pieces[at] = data[len(start) + 8 :]
    joined = b""
    for at, piece in sorted(pieces.items()):
        if at != len(joined):
            break
        joined += piece
    if not joined or len(joined) != whole:
        raise ValueError("pieces of it are missing")
    return joined


def split_xmp(packet: bytes) -> tuple[bytes, list[bytes]]:
    """Split a packet for a JPEG; the longest properties go into the extension.

    The provenance always stays in the main packet, since many readers do not read the extension.

    Args:
        packet: UTF-8 of any length.

    Returns:
        The main packet of at most ``LONGEST_PACKET`` bytes, and the pieces of the extension, each
        as the content of an APP1.

    Raises:
        ValueError: it is no packet, or its main part remains too long.
    """
    if len(packet) <= LONGEST_PACKET:
        return packet, []
    root = parsed(packet)
    main = packed(root)
    if len(main) <= LONGEST_PACKET:  # The rest was padding.
        return main, []
    extension = parsed(_EMPTY)
    over = len(main) - LONGEST_PACKET
    movable = [field for field in top_fields(root) if not field.name.startswith(f"{{{PROVENANCE}")]
    for length, field in sorted(((_length(each), each) for each in movable), key=_first)[::-1]:
        _move(field, extension)
        over -= length
        if over > 0:
            continue
        without_empty(root)
        rest = etree.tostring(extension, encoding="utf-8", xml_declaration=False)
        name = hashlib.md5(rest, usedforsecurity=False).hexdigest().upper()
        main = _naming(root, name)
        if len(main) <= LONGEST_PACKET:
            head = _HEAD + name.encode() + len(rest).to_bytes(4)
            places = range(0, len(rest), _PIECE)
            return main, [head + at.to_bytes(4) + rest[at : at + _PIECE] for at in places]
        # The summed lengths count namespace declarations that properties share.
        over = len(main) - LONGEST_PACKET
    raise ValueError("its main part is too long")


def _length(field: Field) -> int:
    if field.element is None:
        return len(field.text)
    return len(etree.tostring(field.element, with_tail=False))


def _first(pair: tuple[int, Field]) -> int:
    return pair[0]


def _move(field: Field, extension: Element) -> None:
    rdf = next(extension.iter(f"{RDF}RDF"))
    about = field.holder.get(f"{RDF}about") or ""
    added = rdf.makeelement(f"{RDF}Description", nsmap=field.holder.nsmap)
    added.set(f"{RDF}about", about)
    rdf.append(added)
    if field.element is None:
        added.set(field.name, field.holder.get(field.name))
        field.remove()
    else:
        added.append(field.element)  # lxml thereby removes it from its old parent.
    etree.cleanup_namespaces(added)


def _naming(root: Element, name: str) -> bytes:
    """Write a packet that names its extension."""
    rdf = next(root.iter(f"{RDF}RDF"))
    added = rdf.makeelement(f"{RDF}Description", nsmap={"xmpNote": _NOTE})
    about = next((each.get(f"{RDF}about") for each in descriptions(root)), None)
    added.set(f"{RDF}about", about or "")
    added.set(_HAS_EXTENDED, name)
    rdf.append(added)
    written = packed(root)
    rdf.remove(added)
    return written
