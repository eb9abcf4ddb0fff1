"""The provenance of an enlarged picture in its XMP: which tool and network inferred its px."""

from dataclasses import dataclass

from clearzoom.io.metadata.xmp_packets import (
    RDF,
    descriptions,
    packed,
    parsed,
    top_fields,
    without_empty,
)

NAMESPACE = "urn:clearzoom:provenance:1"

_EMPTY = (
    b'<?xpacket begin="\xef\xbb\xbf" id="W5M0MpCehiHzreSzNTczkc9d"?>'
    b'<x:xmpmeta xmlns:x="adobe:ns:meta/">'
    b'<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"></rdf:RDF>'
    b'</x:xmpmeta><?xpacket end="w"?>'
)


@dataclass(frozen=True)
class Provenance:
    """How an enlarged picture was made.

    It contains no time and no path, so that equal jobs give equal files. ``denoise`` is empty for
    models without denoising levels.
    """

    tool: str
    model: str
    weights_sha256: str
    scale: str
    engine: str
    consistency: str = "none"
    denoise: str = ""


def stated_provenance(xmp: bytes | None) -> str | None:
    """Return the model that a picture's XMP states, or None for one that was not enlarged here.

    Args:
        xmp: the picture's packet, or None.

    Example:
        >>> made = Provenance("clearzoom 1.0", "photo x4", "ab", "4", "onnxruntime fp32")
        >>> stated_provenance(with_provenance(None, made))
        'photo x4'
        >>> stated_provenance(None)
    """
    if xmp is None or NAMESPACE.encode() not in xmp:
        return None
    try:
        fields = top_fields(parsed(xmp), NAMESPACE)
    except ValueError:
        return None
    stated = {field.name.rpartition("}")[2]: field.text.strip() for field in fields}
    return stated.get("Model")


def with_provenance(xmp: bytes | None, provenance: Provenance) -> bytes:
    """Add provenance to an XMP packet, in place of an older one.

    Args:
        xmp: the picture's packet, or None.
        provenance: how the picture was made.

    Returns:
        The packet with one more rdf:Description; a packet that is not RDF is replaced.
    """
    try:
        root = parsed(xmp or _EMPTY)
    except ValueError:
        root = parsed(_EMPTY)
    for older in top_fields(root, NAMESPACE):
        older.remove()
    without_empty(root)
    rdf = next(root.iter(f"{RDF}RDF"))
    added = rdf.makeelement(f"{RDF}Description", nsmap={"clearzoom": NAMESPACE})
    # All rdf:about in a packet must be equal (XMP Specification, Part 1, 7.4); some have a URI.
    others = (each.get(f"{RDF}about") for each in descriptions(root))
    added.set(f"{RDF}about", next(filter(None, others), ""))
    for name, value in {
        "Tool": provenance.tool,
        "Model": provenance.model,
        "WeightsSHA256": provenance.weights_sha256,
        "Scale": provenance.scale,
        "Engine": provenance.engine,
        "Consistency": provenance.consistency,
        "Denoise": provenance.denoise,
    }.items():
        if value:
            added.set(f"{{{NAMESPACE}}}{name}", value)
    rdf.append(added)
    return packed(root)
