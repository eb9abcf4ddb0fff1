"""Plain texts of PNG and JPEG, as the XMP that every format can carry."""

from collections.abc import Mapping
from xml.sax.saxutils import escape

# XMP's names for the keywords of PNG, and for the comment of JPEG; with XMP's kind of list.
_NAMES = {
    "Title": ("dc:title", "Alt"),
    "Author": ("dc:creator", "Seq"),
    "Description": ("dc:description", "Alt"),
    "Copyright": ("dc:rights", "Alt"),
    "Comment": ("exif:UserComment", "Alt"),
}
_START = (
    '<rdf:Description rdf:about="" xmlns:dc="http://purl.org/dc/elements/1.1/"'
    ' xmlns:exif="http://ns.adobe.com/exif/1.0/">'
)
_END = b"</rdf:RDF>"
_EMPTY = (
    b'<x:xmpmeta xmlns:x="adobe:ns:meta/">'
    b'<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"></rdf:RDF></x:xmpmeta>'
)


def with_texts(packet: bytes | None, texts: Mapping[str, str]) -> tuple[bytes | None, list[str]]:
    """Add texts to a packet, as far as XMP has names for them and does not say them already.

    Args:
        packet: from ``plain_packet``, or None.
        texts: by PNG's keywords.

    Returns:
        The packet, and the keywords for which XMP has no name.
    """
    known = packet if packet is not None else _EMPTY
    said = ""
    for key, text in texts.items():
        name, kind = _NAMES.get(key, ("", ""))
        if name and text.strip() and name.encode() not in known:
            language = ' xml:lang="x-default"' if kind == "Alt" else ""
            plain = escape("".join(each for each in text if each.isprintable() or each in "\n\t"))
            said += f"<{name}><rdf:{kind}><rdf:li{language}>{plain}</rdf:li></rdf:{kind}></{name}>"
    if said:
        before, _, after = known.rpartition(_END)
        packet = before + f"{_START}{said}</rdf:Description>".encode() + _END + after
    return packet, [key for key in texts if key not in _NAMES]
