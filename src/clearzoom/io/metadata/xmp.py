"""Normalise XMP packets to UTF-8, and rewrite the sizes and resolutions in them.

References:
    XMP Specification, Part 1 (2012), 7.3 (packet wrapper); Part 3 (2020), 1 (embedding in files).
"""

from typing import Final

from clearzoom.io.metadata.xmp_packets import RDF, Element, packed, parsed, top_fields

TIFF: Final = "http://ns.adobe.com/tiff/1.0/"
EXIF: Final = "http://ns.adobe.com/exif/1.0/"
# A packet may be UTF-8, 16 or 32 (Part 1, 7.1). The longer marks come first, since UTF-32's little
# endian one begins with that of UTF-16.
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
    """Bring a packet into the form to which texts can be added.

    Args:
        packet: the bytes in the file: UTF-8, or UTF-16 or 32 with or without a byte order mark.

    Returns:
        UTF-8 with an end tag of rdf:RDF; the same bytes if the packet has this form.

    Raises:
        ValueError: it is no XMP packet.
    """
    packet = _as_utf8(packet)
    return _with_end(parsed(packet), packet)


def recovered_packet(packet: bytes) -> bytes:
    """Read as much as possible of a damaged packet.

    Args:
        packet: a packet that ``plain_packet`` refused.

    Raises:
        ValueError: nothing can be read.
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
    """Return a packet in which a search for the end tag of rdf:RDF finds it.

    XML allows an empty element without an end tag and any namespace prefix. A packet in the usual
    form keeps its bytes, with the padding that its wrapper has for changes in place.
    """
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
    """Rewrite orientation, size and resolution in a packet; it gets no new properties.

    Args:
        packet: UTF-8.
        width_px: the width of the result.
        height_px: its height.
        dpi: its resolution; None leaves the stated resolution as it is.
        upright: whether the orientation was applied, so that it becomes 1.

    Returns:
        The packet; the same bytes if its properties have these values already.
    """
    values = {
        f"{{{TIFF}}}ImageWidth": f"{width_px}",
        f"{{{TIFF}}}ImageLength": f"{height_px}",
        f"{{{EXIF}}}PixelXDimension": f"{width_px}",
        f"{{{EXIF}}}PixelYDimension": f"{height_px}",
    }
    if upright:
        values[f"{{{TIFF}}}Orientation"] = "1"
    if dpi is not None:
        values |= {
            f"{{{TIFF}}}XResolution": f"{round(dpi[0] * 1000)}/1000",
            f"{{{TIFF}}}YResolution": f"{round(dpi[1] * 1000)}/1000",
            f"{{{TIFF}}}ResolutionUnit": "2",
        }
    try:
        root = parsed(packet)
    except ValueError:  # The reader of the packet has reported it.
        return packet
    stale = [each for each in top_fields(root) if values.get(each.name, each.text) != each.text]
    for field in stale:
        field.set_text(values[field.name])
    return packed(root) if stale else packet
