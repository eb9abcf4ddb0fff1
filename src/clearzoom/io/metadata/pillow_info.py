"""The metadata of a PIL picture, which ``info`` and ``getexif`` of Pillow hold."""

from typing import Any

from PIL import Image

from clearzoom.io.metadata.blocks import Metadata
from clearzoom.io.metadata.exif import strip_head
from clearzoom.io.metadata.tiff_tags import ASCII, describes
from clearzoom.io.metadata.xmp import plain_packet

ORIENTATION = 0x0112
_BELOW = (0x8769, 0x8825)  # the directories of EXIF and GPS
_HEAD = b"Exif\0\0"


def metadata_of(picture: Image.Image) -> Metadata:
    """Read EXIF and XMP of a PIL picture; what is damaged is left out.

    Args:
        picture: as it was opened or made, not turned upright. What a program changed in
            ``getexif()`` counts.
    """
    return Metadata(exif=_exif(picture), xmp=_xmp(picture.info))


def info_of(metadata: Metadata) -> dict[str, bytes]:
    """Return EXIF and XMP in the form that Pillow keeps them in ``info``.

    Args:
        metadata: of the result.
    """
    info = {}
    if metadata.exif is not None:
        info["exif"] = _HEAD + metadata.exif
    if metadata.xmp is not None:
        info["xmp"] = metadata.xmp
    return info


def _exif(picture: Image.Image) -> bytes | None:
    stored = picture.info.get("exif")
    try:
        exif = picture.getexif()
        if stored is None and hasattr(picture, "tag_v2"):
            exif = _describing(exif)
        if stored is not None and _states_the_same(stored, exif):
            # Pillow would move maker notes, which contain offsets of their own.
            return strip_head(stored)
        return strip_head(exif.tobytes()) if len(exif) else None
    except Exception:  # Pillow raises any exception for a damaged block.
        return strip_head(stored) if isinstance(stored, bytes) else None


def _states_the_same(stored: bytes, exif: Image.Exif) -> bool:
    """Tell whether a program left EXIF as it was stored, but for the orientation."""
    fresh = Image.Exif()
    fresh.load(stored)
    if ORIENTATION in exif and ORIENTATION in fresh:
        fresh[ORIENTATION] = exif[ORIENTATION]
    return fresh.tobytes() == exif.tobytes()


def _describing(exif: Image.Exif) -> Image.Exif:
    """Return the tags of a TIFF that do not state how its samples are stored."""
    kept = Image.Exif()
    for tag, value in exif.items():
        if describes(tag, ASCII if isinstance(value, str) else 0):
            kept[tag] = value
    for tag in _BELOW:
        if below := exif.get_ifd(tag):
            kept[tag] = dict(below)
    return kept


def _xmp(info: dict[Any, Any]) -> bytes | None:
    packet = info.get("xmp") or info.get("XML:com.adobe.xmp")
    if not packet:
        return None
    try:
        return plain_packet(packet.encode() if isinstance(packet, str) else packet)
    except ValueError:
        return None
