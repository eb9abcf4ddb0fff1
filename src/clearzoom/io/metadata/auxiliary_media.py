"""What lies in a file beside its picture, and what XMP says of it: the result has none of that.

Gain maps for HDR, the film of a motion photo, a second eye, a depth map, credentials. Each is a
note, and is no longer said to be there: a program that believed it would look behind the end of
the file.

References:
    developer.android.com: Ultra HDR 1.1, Motion Photo 1.0, Dynamic Depth 1.0. ISO 21496-1.
    developers.google.com: Cardboard Camera VR. CIPA DC-007 (MPF).
"""

import struct
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from clearzoom.io.metadata.credentials import CREDENTIALS, names_credentials
from clearzoom.io.metadata.xmp_packets import Element, fields_of, items_of, top_fields

GAIN_MAP = "the gain map is not kept: the result is the picture as screens without HDR show it"
MOTION = "the film of a motion photo is not kept: the result is its picture"
DEPTH = "the depth map is not kept"
SECOND_EYE = "the picture for the second eye is not kept"
OTHER_PICTURES = "other pictures in the file are not kept: the result is the first of them"
OTHER_HEIF_PICTURES = "other pictures in the file are not kept: the result is its main picture"

_GOOGLE = "{http://ns.google.com/photos/1.0/"
_DEPTH_NAMESPACES = (
    f"{_GOOGLE}depthmap/",
    f"{_GOOGLE}focus/",
    "{http://ns.google.com/photos/dd/1.0/",
    "{http://ns.xdm.org/photos/1.0/",
    "{http://ns.apple.com/depthData/1.0/",
    "{http://ns.apple.com/depthBlurEffect/1.0/",
    "{http://ns.apple.com/portraitEffectsMatte/1.0/",
)
_GAIN_MAP_NAMESPACES = (
    "{http://ns.adobe.com/hdr-gain-map/1.0/",
    "{http://ns.apple.com/HDRGainMap/1.0/",
    "{http://ns.apple.com/HDRToneMap/1.0/",
)
_MOTION_NAMES = ("MotionPhoto", "MicroVideo")
_AUXILIARY = "{http://ns.apple.com/pixeldatainfo/1.0/"
_PROVENANCE = "{http://purl.org/dc/terms/}provenance"
_CONTAINER = f"{_GOOGLE}container/"
_ITEM = f"{_GOOGLE}container/item/"
_OF_ITEMS = {
    "GainMap": GAIN_MAP,
    "MotionPhoto": MOTION,
    "Depth": DEPTH,
    "Confidence": DEPTH,
    "Original": OTHER_PICTURES,
}
_MPF_LIST = 0xB002
_STEREO_TYPE = 0x020002
_REDUCED_TYPES = (0x010001, 0x010002)
_HEAD_BYTES = 131_072
_ISO_GAIN_MAP = b"urn:iso:std:iso:ts:21496:-1\0"
_SAMSUNG_FILM = 0x0A30


def remove_auxiliary_fields(root: Element) -> list[str]:
    """Take out what a packet says of things that do not come along.

    Args:
        root: of a packet; is changed.

    Returns:
        A note for each kind of thing.
    """
    notes: list[str] = []
    for field in top_fields(root):
        local = field.name.rpartition("}")[2]
        if field.name.startswith(_GAIN_MAP_NAMESPACES):
            notes.append(GAIN_MAP)
        elif field.name.startswith(_DEPTH_NAMESPACES):
            notes.append(DEPTH)
        elif field.name.startswith(f"{_GOOGLE}image/"):
            notes += [SECOND_EYE] if local == "Data" else []
        elif field.name.startswith(f"{_GOOGLE}camera/") and local.startswith(_MOTION_NAMES):
            notes += [MOTION] if field.text not in ("", "0") else []
        elif field.name.startswith(_CONTAINER):
            notes += _of_directory(field.element)
        elif field.name == _PROVENANCE and names_credentials(field.text):
            notes.append(CREDENTIALS)
        elif not field.name.startswith(_AUXILIARY):
            continue
        field.remove()
    return list(dict.fromkeys(notes))


def _of_directory(directory: Element | None) -> list[str]:
    notes = []
    for item in items_of(directory) if directory is not None else []:
        for inner in fields_of(item).values():
            parts = fields_of(inner.element) if inner.element is not None else {}
            semantic = parts.get(f"{_ITEM}Semantic")
            if semantic is not None and semantic.text in _OF_ITEMS:
                notes.append(_OF_ITEMS[semantic.text])
    return notes


@dataclass(frozen=True)
class MpfImage:
    """One picture of a Multi-Picture file; ``at`` counts from the list's own header."""

    kind: int
    length: int
    at: int


def read_mpf(segment: bytes) -> list[MpfImage]:
    """Read the list of pictures.

    Args:
        segment: of JPEG's APP2, behind "MPF" and its zero.

    Returns:
        What is said of each; none where it is damaged.
    """
    order = {b"II*\0": "<", b"MM\0*": ">"}.get(segment[:4])
    if order is None:
        return []
    try:
        (first,) = struct.unpack_from(f"{order}I", segment, 4)
        (count,) = struct.unpack_from(f"{order}H", segment, first)
        for place in range(first + 2, first + 2 + 12 * count, 12):
            tag, _, length, at = struct.unpack_from(f"{order}HHII", segment, place)
            if tag == _MPF_LIST:
                places = range(at, at + min(length, len(segment)) - 15, 16)
                entries = [struct.unpack_from(f"{order}III", segment, each) for each in places]
                return [MpfImage(kind & 0xFFFFFF, size, start) for kind, size, start in entries]
    except struct.error:
        pass
    return []


def jpeg_auxiliary_notes(
    segments: Iterable[tuple[str, bytes]], path: Path, list_at: int | None
) -> list[str]:
    """Say what lies in a JPEG beside its picture.

    Args:
        segments: name, like APP2, and content.
        path: of the file.
        list_at: where the list of pictures begins in the file, behind "MPF" and its zero.
    """
    notes: list[str] = []
    for name, data in segments:
        if name == "APP2" and data.startswith(b"MPF\0"):
            for each in read_mpf(data[4:])[1:]:
                # Reduced copies show nothing that the picture does not.
                if each.kind not in _REDUCED_TYPES:
                    notes.append(_kind_of(each, path, list_at))
        elif name == "APP2" and data.startswith(_ISO_GAIN_MAP):
            notes.append(GAIN_MAP)
    if _ends_with_film(path):
        notes.append(MOTION)
    return notes


def _kind_of(picture: MpfImage, path: Path, list_at: int | None) -> str:
    if picture.kind == _STEREO_TYPE:
        return SECOND_EYE
    if list_at is None or not picture.at:
        return OTHER_PICTURES
    with path.open("rb") as file:
        file.seek(list_at + picture.at)
        head = file.read(min(picture.length, _HEAD_BYTES))
    if any(name in head for name in (b"hdr-gain-map/", b"/HDRGainMap/", _ISO_GAIN_MAP)):
        return GAIN_MAP
    return DEPTH if b"apple.com/depth" in head or b"apple.com/portrait" in head else OTHER_PICTURES


def _ends_with_film(path: Path) -> bool:
    """Whether Samsung's list at the end of a file names a film."""
    with path.open("rb") as file:
        end = file.seek(0, 2)
        file.seek(max(0, end - 8))
        size, name = struct.unpack("<I4s", file.read(8).rjust(8, b"\0"))
        if name != b"SEFT" or size + 8 > end:
            return False
        file.seek(end - 8 - size)
        listed = file.read(min(size, 12 + 12 * 64))
    # Each line holds, after a zero, the number of the kind; 0x0A30 is a motion photo's film.
    return any(
        struct.unpack_from("<H", listed, at + 2)[0] == _SAMSUNG_FILM
        for at in range(12, len(listed) - 11, 12)
    )


def heif_auxiliary_notes(info: Mapping[Any, Any], pictures: int) -> list[str]:
    """Say what lies in a HEIC or AVIF beside its picture.

    Args:
        info: Pillow's, of the reader that the extra [heic] brings.
        pictures: how many the file has.
    """
    kinds = [str(kind).lower() for kind in info.get("aux") or {}]
    notes = [GAIN_MAP for kind in kinds if "gainmap" in kind or "21496" in kind]
    notes += [DEPTH for kind in kinds if "depth" in kind or "matte" in kind]
    notes += [DEPTH] if info.get("depth_images") else []
    return notes + ([OTHER_HEIF_PICTURES] if pictures > 1 else [])


def joined(notes: Iterable[str]) -> list[str]:
    """Say each thing once, and nothing general beside what says more."""
    once = list(dict.fromkeys(notes))
    return [note for note in once if note not in (OTHER_PICTURES, OTHER_HEIF_PICTURES)] or once
