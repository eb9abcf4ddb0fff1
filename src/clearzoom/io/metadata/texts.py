"""Plain texts of PNG, JPEG and GIF: read, and where a format has none, said in XMP or EXIF."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from xml.sax.saxutils import escape

from PIL import Image

from clearzoom.io.metadata.gif_texts import comments
from clearzoom.io.metadata.jpeg_segments import COMMENT, segments
from clearzoom.io.metadata.png_texts import Text, png_texts

GENERATED = "parameters"
"""The keyword under which Stable Diffusion's web page says how a picture was made. Into JPEG and
WebP it writes the same text as EXIF's comment, where its readers look for it."""

_COMMENT_KEYWORD = "Comment"
# XMP's names for the keywords of PNG; with XMP's kind of list, or none.
_NAMES = {
    "Title": ("dc:title", "Alt"),
    "Author": ("dc:creator", "Seq"),
    "Description": ("dc:description", "Alt"),
    "Copyright": ("dc:rights", "Alt"),
    "Software": ("xmp:CreatorTool", ""),
    _COMMENT_KEYWORD: ("exif:UserComment", "Alt"),
}
_START = (
    '<rdf:Description rdf:about="" xmlns:dc="http://purl.org/dc/elements/1.1/"'
    ' xmlns:exif="http://ns.adobe.com/exif/1.0/" xmlns:xmp="http://ns.adobe.com/xap/1.0/">'
)
_END = b"</rdf:RDF>"
_EMPTY = (
    b'<x:xmpmeta xmlns:x="adobe:ns:meta/">'
    b'<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"></rdf:RDF></x:xmpmeta>'
)
_EXIF_IFD, _USER_COMMENT = 0x8769, 0x9286


def read_texts(path: Path) -> tuple[tuple[Text, ...], list[str]]:
    """Read the texts of a picture file that stand beside EXIF, XMP and IPTC.

    Args:
        path: any picture; only PNG, JPEG and GIF have such texts.

    Returns:
        The texts in the file's order, and a line where some are left out.
    """
    texts, left_out = png_texts(path)
    problems = [left_out_line(left_out)] if left_out else []
    said = [*(data for marker, data in segments(path) if marker == COMMENT), *comments(path)]
    return texts + tuple(Text(_COMMENT_KEYWORD, _decoded(each), b"", each) for each in said), (
        problems
    )


def _decoded(comment: bytes) -> str:
    plain = comment.rstrip(b"\0")
    try:
        return plain.decode()
    except UnicodeDecodeError:
        return plain.decode("latin-1")


def left_out_line(keywords: Sequence[str]) -> str:
    """Say which texts are gone.

    Args:
        keywords: of them; each is named once.
    """
    return f"texts that are not kept: {', '.join(dict.fromkeys(keywords))}"


def is_comment(text: Text) -> bool:
    """Say whether a text is what JPEG and GIF hold as their comment.

    Args:
        text: of a picture.
    """
    return text.keyword == _COMMENT_KEYWORD


def comment_bytes(text: Text) -> bytes:
    """Give a comment as JPEG and GIF hold it; one that came from them is as it was.

    Args:
        text: of a picture.
    """
    return text.comment or text.text.encode()


def by_keyword(texts: Sequence[Text]) -> dict[str, str]:
    """Give all that stands under each keyword, line by line.

    Args:
        texts: of a picture.
    """
    said: dict[str, str] = {}
    for each in texts:
        before = f"{said[each.keyword]}\n" if each.keyword in said else ""
        said[each.keyword] = before + each.text
    return said


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
            if kind:
                plain = f"<rdf:{kind}><rdf:li{language}>{plain}</rdf:li></rdf:{kind}>"
            said += f"<{name}>{plain}</{name}>"
    if said:
        before, _, after = known.rpartition(_END)
        packet = before + f"{_START}{said}</rdf:Description>".encode() + _END + after
    return packet, [key for key in texts if key not in _NAMES]


def exif_of_generated(text: str) -> bytes:
    """Make EXIF whose comment says how a picture was made.

    Args:
        text: as stood under the keyword ``GENERATED``.

    References:
        Exif 2.32, 4.6.5, UserComment: eight bytes name the code; big-endian as web pages of Stable
        Diffusion write it and read it.
    """
    exif = Image.Exif()
    exif.get_ifd(_EXIF_IFD)[_USER_COMMENT] = b"UNICODE\0" + text.encode("utf-16-be", "replace")
    return exif.tobytes().removeprefix(b"Exif\0\0")
