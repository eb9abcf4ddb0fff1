"""XMP packets: as UTF-8 with room for more, and true for the enlarged picture's size."""

from typing import Final

from clearzoom.io.metadata.xmp_packets import RDF, Element, Field, packed, parsed, top_fields

TIFF: Final = "http://ns.adobe.com/tiff/1.0/"
EXIF: Final = "http://ns.adobe.com/exif/1.0/"
_STARTS = {
    b"\xff\xfe\0\0": "utf-32",
    b"\0\0\xfe\xff": "utf-32",
    b"<\0\0\0": "utf-32-le",
    b"\0\0\0<": "utf-32-be",
    b"\xff\xfe": "utf-16",
    b"\xfe\xff": "utf-16",
    b"<\0": "utf-16-le",
    b"\0<": "utf-16-be",
}
_END = b"</rdf:RDF>"


def plain_packet(packet: bytes) -> bytes:
    """Bring a packet into the form that texts are added to.

    Args:
        packet: as it stands in a file: UTF-8, or UTF-16 or 32 with or without a byte order mark.

    Returns:
        UTF-8 with an rdf:RDF that has an end; the same bytes where that was so.

    Raises:
        ValueError: it is no such packet.
    """
    packet = _as_utf8(packet)
    return _with_end(parsed(packet), packet)


def recovered_packet(packet: bytes) -> bytes:
    """Read what can be read of a packet with faults.

    Args:
        packet: that ``plain_packet`` refused.

    Raises:
        ValueError: nothing can.
    """
    root = parsed(_as_utf8(packet), recover=True)
    if not top_fields(root):
        raise ValueError("nothing of it can be read")
    return _with_end(root, b"")


def _as_utf8(packet: bytes) -> bytes:
    encoding = next((name for start, name in _STARTS.items() if packet.startswith(start)), None)
    if encoding is None:
        return packet.rstrip(b"\0")
    return packet.decode(encoding).lstrip("\ufeff").rstrip("\0").encode()


def _with_end(root: Element, packet: bytes) -> bytes:
    if _END in packet and packet.startswith((b"<?xpacket", b"<x:", b"<rdf:")):
        return packet
    for rdf in list(root.iter(f"{RDF}RDF")):
        if len(rdf) == 0 and not rdf.text:
            rdf.text = ""  # <rdf:RDF/> becomes <rdf:RDF></rdf:RDF>
        if rdf.prefix != "rdf":
            renamed = rdf.makeelement(rdf.tag, nsmap={**rdf.nsmap, "rdf": RDF[1:-1]})
            renamed.text = rdf.text
            renamed.extend(list(rdf))
            root = _replaced(root, rdf, renamed)
    return packed(root)


def _replaced(root: Element, old: Element, new: Element) -> Element:
    parent = old.getparent()
    if parent is None:
        return new
    parent.replace(old, new)
    return root


def updated_xmp(
    packet: bytes,
    width_px: int,
    height_px: int,
    dpi: tuple[float, float] | None,
    *,
    upright: bool = True,
) -> bytes:
    """Make a packet true for the result: upright, its size, its resolution.

    Args:
        packet: UTF-8.
        width_px: of the result.
        height_px: of the result.
        dpi: of the result, or None to leave what stands.
        upright: else what is said of its orientation stays.

    Returns:
        The same bytes where nothing else was said; else the packet written anew.
    """
    said = {
        f"{{{TIFF}}}ImageWidth": f"{width_px}",
        f"{{{TIFF}}}ImageLength": f"{height_px}",
        f"{{{EXIF}}}PixelXDimension": f"{width_px}",
        f"{{{EXIF}}}PixelYDimension": f"{height_px}",
    }
    if upright:
        said[f"{{{TIFF}}}Orientation"] = "1"
    if dpi is not None:
        said |= {
            f"{{{TIFF}}}XResolution": f"{round(dpi[0] * 1000)}/1000",
            f"{{{TIFF}}}YResolution": f"{round(dpi[1] * 1000)}/1000",
            f"{{{TIFF}}}ResolutionUnit": "2",
        }
    try:
        root = parsed(packet)
    except ValueError:  # it was reported where it was read
        return packet
    other = [field for field in top_fields(root) if _differs(field, said)]
    for field in other:
        field.say(said[field.name])
    return packed(root) if other else packet


def _differs(field: Field, said: dict[str, str]) -> bool:
    return field.name in said and field.text != said[field.name]
