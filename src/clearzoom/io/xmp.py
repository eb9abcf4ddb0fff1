"""XMP packets: as UTF-8 with room for more, and true for the enlarged picture."""

import re

_NAMESPACES = {"tiff": b"http://ns.adobe.com/tiff/1.0/", "exif": b"http://ns.adobe.com/exif/1.0/"}
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
_DECLARATION = re.compile(r"^\ufeff?<\?xml\s[^>]*\?>")
_CLOSED_AT_ONCE = re.compile(rb"(<rdf:RDF(?:\s(?:[^>\"']|\"[^\"]*\"|'[^']*')*?)?)/>")


def plain_packet(packet: bytes) -> bytes:
    """Bring a packet into the form that provenance is added to.

    Args:
        packet: as it stands in a file: UTF-8, or UTF-16 or 32 with or without a byte order mark.

    Returns:
        UTF-8 with an rdf:RDF that has an end; the same bytes where that was so.

    Raises:
        ValueError: it is no such packet.
    """
    encoding = next((name for start, name in _STARTS.items() if packet.startswith(start)), None)
    if encoding is not None:
        text = packet.decode(encoding)
        packet = _DECLARATION.sub("", text).rstrip("\0").encode()
    if b"</rdf:RDF>" not in packet:
        packet = _CLOSED_AT_ONCE.sub(rb"\1></rdf:RDF>", packet, count=1)
    if b"</rdf:RDF>" not in packet:
        raise ValueError("it is no RDF")
    return packet


def updated_xmp(
    packet: bytes, width_px: int, height_px: int, dpi: tuple[float, float] | None
) -> bytes:
    """Make a packet true for the enlarged picture: upright, its size, its resolution.

    Args:
        packet: UTF-8.
        width_px: of the result.
        height_px: of the result.
        dpi: of the result, or None to leave what stands.
    """
    said = {
        "tiff": {"Orientation": "1", "ImageWidth": f"{width_px}", "ImageLength": f"{height_px}"},
        "exif": {"PixelXDimension": f"{width_px}", "PixelYDimension": f"{height_px}"},
    }
    if dpi is not None:
        said["tiff"] |= {
            "XResolution": f"{round(dpi[0] * 1000)}/1000",
            "YResolution": f"{round(dpi[1] * 1000)}/1000",
            "ResolutionUnit": "2",
        }
    for usual, values in said.items():
        where = re.escape(_NAMESPACES[usual])
        prefixes = re.findall(rb"xmlns:([\w.-]+)\s*=\s*[\"']" + where + rb"[\"']", packet)
        for prefix in set(prefixes):
            for name, value in values.items():
                packet = _with_value(packet, prefix + b":" + name.encode(), value.encode())
    return packet


def _with_value(packet: bytes, name: bytes, value: bytes) -> bytes:
    name = re.escape(name)
    attribute = rb"(\s" + name + rb"\s*=\s*)(\"[^\"]*\"|'[^']*')"
    element = rb"(<" + name + rb"(?:\s[^>]*)?(?<!/)>)[^<]*(</" + name + rb"\s*>)"
    packet = re.sub(attribute, rb'\g<1>"' + value + rb'"', packet)
    return re.sub(element, rb"\g<1>" + value + rb"\g<2>", packet)
