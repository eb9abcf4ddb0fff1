"""EXIF, XMP and IPTC of a PNG, before and behind the px, as large as they are.

Pillow gives up at texts or profiles of more than 1 MiB, and knows what lies behind the px only once
these are decoded.
"""

import zlib
from collections.abc import Iterator
from pathlib import Path

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_READ = (b"eXIf", b"tEXt", b"zTXt", b"iTXt")
_XMP = "XML:com.adobe.xmp"
_PROFILES = "Raw profile type "
_NAMES_OF_PROFILES = {
    "exif": ("exif", "APP1"),
    "xmp": ("xmp", "APP1"),
    "iptc": ("iptc", "8bim", "APP13"),
}
_STARTS = {"exif": b"Exif\0\0", "xmp": b"http://ns.adobe.com/xap/1.0/\0", "iptc": b""}
_MOST_BYTES = 2**28  # of one block: a depth map in XMP has some 10 MB


def is_png(path: Path) -> bool:
    """Say whether a file begins as a PNG does."""
    with path.open("rb") as file:
        return file.read(8) == _SIGNATURE


def png_blocks(path: Path) -> tuple[dict[str, bytes], list[str]]:
    """Read the blocks.

    Args:
        path: a PNG.

    Returns:
        ``exif``, ``xmp`` and ``iptc`` (also as Photoshop's resources), as far as they are there,
        the first of each, and those that ImageMagick writes as texts last; and a line for each
        that is damaged.
    """
    found: dict[str, bytes] = {}
    problems = []
    for kind, data, whole in _chunks(path):
        name = "exif" if kind == b"eXIf" else data.partition(b"\0")[0].decode("latin-1")
        if name != "exif" and name != _XMP and not name.startswith(_PROFILES):
            continue
        try:
            if not whole:
                raise ValueError("its chunk is damaged")
            block = data if kind == b"eXIf" else _text(kind, data)
            if name.startswith(_PROFILES):
                block = _from_hex(block)
        except (ValueError, zlib.error) as error:
            problems.append(f"{_said(name)} could not be read: {error}")
            continue
        found.setdefault(name, block)
    exif = found.get("exif", b"").removeprefix(_STARTS["exif"])  # some write JPEG's head there too
    blocks = {"exif": exif, "xmp": found.get(_XMP), "iptc": None}
    for kinds, names in _NAMES_OF_PROFILES.items():
        for each in names:
            profile = found.get(_PROFILES + each, b"")
            if each == "APP1" and not profile.startswith(_STARTS[kinds]):
                continue
            blocks[kinds] = blocks[kinds] or profile.removeprefix(_STARTS[kinds])
    return {kind: block for kind, block in blocks.items() if block}, problems


def _said(name: str) -> str:
    return {"exif": "EXIF", _XMP: "XMP"}.get(name, f"the text {name}")


def _chunks(path: Path) -> Iterator[tuple[bytes, bytes, bool]]:
    """Give kind, bytes, and whether they are all there and as they were."""
    with path.open("rb") as file:
        if file.read(8) != _SIGNATURE:
            return
        while len(head := file.read(8)) == 8 and (kind := head[4:]) != b"IEND":
            length = int.from_bytes(head[:4])
            if kind not in _READ:
                file.seek(length + 4, 1)
                continue
            data = file.read(min(length, _MOST_BYTES))
            file.seek(length - len(data), 1)
            check = file.read(4)
            yield kind, data, check == zlib.crc32(kind + data).to_bytes(4)


def _text(kind: bytes, data: bytes) -> bytes:
    """Give the text of a chunk; of Latin-1 too the bytes as they stand."""
    _, _, rest = data.partition(b"\0")
    if kind == b"tEXt":
        return rest
    if kind == b"zTXt":
        return _unpacked(rest[1:])
    packed = rest[:1] == b"\1"
    _, _, said = rest[2:].split(b"\0", 2)
    return _unpacked(said) if packed else said


def _unpacked(data: bytes) -> bytes:
    unpacking = zlib.decompressobj()
    text = unpacking.decompress(data, _MOST_BYTES)
    if not unpacking.eof:
        raise ValueError("it is cut, or longer than 256 MiB")
    return text


def _from_hex(text: bytes) -> bytes:
    # A newline, the name, the length, then lines of hex.
    return bytes.fromhex(b"".join(text.split()[2:]).decode("ascii"))
