"""Which pixels are inferred, and by what: written into the file's XMP."""

from dataclasses import dataclass
from xml.sax.saxutils import quoteattr

NAMESPACE = "urn:clearzoom:provenance:1"

_EMPTY = (
    b'<?xpacket begin="\xef\xbb\xbf" id="W5M0MpCehiHzreSzNTczkc9d"?>'
    b'<x:xmpmeta xmlns:x="adobe:ns:meta/">'
    b'<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"></rdf:RDF>'
    b'</x:xmpmeta><?xpacket end="w"?>'
)
_END = b"</rdf:RDF>"


@dataclass(frozen=True)
class Provenance:
    """How an enlarged picture was made: no clock time and no path, so equal jobs stay equal.

    ``denoise`` is empty where the model has no levels.
    """

    tool: str
    model: str
    weights_sha256: str
    scale: str
    engine: str
    consistency: str = "none"
    denoise: str = ""


def with_provenance(xmp: bytes | None, provenance: Provenance) -> bytes:
    """Add provenance to an XMP packet, in place of an older one.

    Args:
        xmp: the picture's packet, or None.
        provenance: what is said.

    Returns:
        The packet with one more rdf:Description; a packet that is not RDF is replaced.
    """
    packet = xmp if xmp is not None and _END in xmp else _EMPTY
    packet = _without_older(packet)
    said = " ".join(
        f"clearzoom:{name}={quoteattr(value)}"
        for name, value in {
            "Tool": provenance.tool,
            "Model": provenance.model,
            "WeightsSHA256": provenance.weights_sha256,
            "Scale": provenance.scale,
            "Engine": provenance.engine,
            "Consistency": provenance.consistency,
            "Denoise": provenance.denoise,
        }.items()
        if value
    )
    line = f'<rdf:Description rdf:about="" xmlns:clearzoom="{NAMESPACE}" {said}/>'
    before, _, after = packet.rpartition(_END)
    return before + line.encode() + _END + after


def _without_older(packet: bytes) -> bytes:
    start = packet.find(f'<rdf:Description rdf:about="" xmlns:clearzoom="{NAMESPACE}"'.encode())
    end = packet.find(b"/>", start)
    return packet if start < 0 or end < 0 else packet[:start] + packet[end + 2 :]
