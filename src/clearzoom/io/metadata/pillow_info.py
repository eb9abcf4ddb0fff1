"""The metadata of a PIL picture, which ``info`` and ``getexif`` of Pillow hold."""

from contextlib import suppress
from typing import Any

from PIL import Image

from clearzoom.io.metadata.blocks import Metadata, usable_xmp
from clearzoom.io.metadata.exif import strip_head
from clearzoom.io.metadata.tiff_tags import ASCII, MAP_TAGS, describes

_ORIENTATION = 0x0112
_IPTC_TAG = 33723
_BELOW = (0x8769, 0x8825)  # the directories of EXIF and GPS
_HEAD = b"Exif\0\0"
_MADE_AGAIN = ("XML:com.adobe.xmp", "Raw profile type ")
"""Texts of a PNG that hold XMP, EXIF or IPTC."""


def metadata_of(picture: Image.Image) -> tuple[Metadata, list[str]]:
    """Read EXIF and XMP of a PIL picture.

    Args:
        picture: as it was opened or made, not turned upright. What a program changed in
            ``getexif()`` counts.

    Returns:
        The metadata, and a line for each thing that is damaged or has no place in a result.
    """
    notes: list[str] = []
    xmp = picture.info.get("xmp") or picture.info.get("XML:com.adobe.xmp") or None
    if xmp is not None:
        xmp, more = usable_xmp(xmp.encode() if isinstance(xmp, str) else xmp, notes)
        notes += more
    tags = getattr(picture, "tag_v2", {})
    if picture.info.get("photoshop") or _IPTC_TAG in tags:
        notes.append("IPTC and Photoshop's resources are not kept: Pillow writes none")
    if any(tag in tags for tag in MAP_TAGS):
        notes.append("the place on a map (GeoTIFF) is not kept")
    return Metadata(exif=_exif(picture), xmp=xmp), notes


def orientation_of(picture: Image.Image) -> int:
    """Return the orientation that a PIL picture states, 1 to 8; 1 where EXIF is damaged.

    Args:
        picture: as it was opened or made.
    """
    with suppress(Exception):  # Pillow raises any exception for a damaged block.
        stated = picture.getexif().get(_ORIENTATION, 1)
        return stated if stated in range(1, 9) else 1
    return 1


def frames_of(picture: Image.Image) -> int:
    """Return the number of frames or pages of a PIL picture; 1 where it cannot be told.

    Args:
        picture: as it was opened or made. Its current frame stays the same.
    """
    with suppress(Exception):  # of a file that is closed or damaged
        return int(getattr(picture, "n_frames", 1))
    return 1


def comments_of(picture: Image.Image) -> dict[str, Any]:
    """Return the comment and the texts of a PIL picture, in the form of ``info``.

    Args:
        picture: as it was opened or made, and loaded.
    """
    texts = getattr(picture, "text", None)
    names = list(texts) if isinstance(texts, dict) else []
    own = [name for name in names if not name.startswith(_MADE_AGAIN)]
    return {name: picture.info[name] for name in ("comment", *own) if name in picture.info}


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
    if _ORIENTATION in exif and _ORIENTATION in fresh:
        fresh[_ORIENTATION] = exif[_ORIENTATION]
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
