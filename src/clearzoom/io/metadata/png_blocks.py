"""EXIF, XMP and IPTC of a PNG, before and behind its px, of any usual size.

Pillow refuses texts and profiles of more than 1 MiB, and finds what follows the px only after it
has decoded them.

References:
    PNG, third edition, 11.3.3 (texts) and 11.3.4.5 (eXIf). ImageMagick, coders/png.c, "Raw profile
    type": a block as hexadecimal digits in a text.
"""

import zlib

from clearzoom.io.metadata.png_chunks import PngChunks, text_bytes

_KINDS = (b"eXIf", b"tEXt", b"zTXt", b"iTXt")
_XMP = "XML:com.adobe.xmp"
_PROFILES = "Raw profile type "
_PROFILE_NAMES = {
    "exif": ("exif", "APP1"),
    "xmp": ("xmp", "APP1"),
    "iptc": ("iptc", "8bim", "APP13"),
}
_STARTS = {"exif": b"Exif\0\0", "xmp": b"http://ns.adobe.com/xap/1.0/\0", "iptc": b""}
_MOST_BYTES = 2**28  # of one block: XMP with a depth map has some 10 MB


def png_blocks(chunks: PngChunks) -> tuple[dict[str, bytes], list[str]]:
    """Read EXIF, XMP and IPTC.

    If a block occurs several times, the first one counts, and one that ImageMagick wrote as a text
    counts only if there is no other.

    Args:
        chunks: the chunks of the PNG.

    Returns:
        ``exif``, ``xmp`` and ``iptc`` (records, or Photoshop's resources with them) as far as the
        file has them, and a line for each block that is damaged.
    """
    found: dict[str, bytes] = {}
    problems = []
    for kind, data, intact in chunks.contents(_KINDS, _MOST_BYTES):
        name = "exif" if kind == b"eXIf" else data.partition(b"\0")[0].decode("latin-1")
        if name != "exif" and name != _XMP and not name.startswith(_PROFILES):
            continue
        try:
            if not intact:
                raise ValueError("its chunk is damaged")
            block = data if kind == b"eXIf" else text_bytes(kind, data, _MOST_BYTES)
            if name.startswith(_PROFILES):
                block = _from_hex(block)
        except (ValueError, zlib.error) as error:
            readable = {"exif": "EXIF", _XMP: "XMP"}.get(name, f"the text {name}")
            problems.append(f"{readable} could not be read: {error}")
            continue
        found.setdefault(name, block)
    # Some writers put JPEG's "Exif\0\0" before the TIFF structure; the standard does not.
    exif = found.get("exif", b"").removeprefix(_STARTS["exif"])
    blocks = {"exif": exif, "xmp": found.get(_XMP), "iptc": None}
    for kinds, names in _PROFILE_NAMES.items():
        for each in names:
            profile = found.get(_PROFILES + each, b"")
            if each == "APP1" and not profile.startswith(_STARTS[kinds]):
                continue
            blocks[kinds] = blocks[kinds] or profile.removeprefix(_STARTS[kinds])
    return {kind: block for kind, block in blocks.items() if block}, problems


def _from_hex(text: bytes) -> bytes:
    # A newline, the name, the length, then lines of hexadecimal digits.
    return bytes.fromhex(b"".join(text.split()[2:]).decode("ascii"))
