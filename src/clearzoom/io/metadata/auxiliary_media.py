"""Auxiliary media that a file stores beside its picture, and the XMP that refers to them.

They are gain maps for HDR, the film of a motion photo, the picture for a second eye, depth maps and
content credentials. A result has none of them, so each becomes a note and its XMP is removed: a
program that relied on it would read behind the end of the file.

References:
    developer.android.com: Ultra HDR 1.1, Motion Photo 1.0, Dynamic Depth 1.0. ISO 21496-1.
    developers.google.com: Cardboard Camera VR. CIPA DC-007 (MPF).
"""

import struct
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, BinaryIO

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
_NOTES_BY_SEMANTIC = {
    "GainMap": GAIN_MAP,
    "MotionPhoto": MOTION,
    "Depth": DEPTH,
    "Confidence": DEPTH,
    "Original": OTHER_PICTURES,
}
_MPF_ENTRIES = 0xB002
_STEREO_TYPE = 0x020002
_REDUCED_TYPES = (0x010001, 0x010002)
_HEAD_BYTES = 131_072
_ISO_GAIN_MAP = b"urn:iso:std:iso:ts:21496:-1\0"
_SAMSUNG_FILM = 0x0A30


def remove_auxiliary_fields(root: Element) -> list[str]:
    """Remove the XMP properties that refer to auxiliary media.

    Args:
        root: the root of a packet; it is changed.

    Returns:
        A note for each kind of auxiliary media.
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
            notes += _directory_notes(field.element)
        elif field.name == _PROVENANCE and names_credentials(field.text):
            notes.append(CREDENTIALS)
        elif not field.name.startswith(_AUXILIARY):
            continue
        field.remove()
    return list(dict.fromkeys(notes))


def _directory_notes(directory: Element | None) -> list[str]:
    notes = []
    for item in items_of(directory) if directory is not None else []:
        for inner in fields_of(item).values():
            parts = fields_of(inner.element) if inner.element is not None else {}
            semantic = parts.get(f"{_ITEM}Semantic")
            if semantic is not None and semantic.text in _NOTES_BY_SEMANTIC:
                notes.append(_NOTES_BY_SEMANTIC[semantic.text])
    return notes


@dataclass(frozen=True)
class MpfImage:
    """One picture of a Multi-Picture file; ``at`` counts from the TIFF header of the index."""

    kind: int
    length: int
    at: int


def read_mpf(segment: bytes) -> list[MpfImage]:
    """Read the index of a Multi-Picture file.

    Args:
        segment: the content of JPEG's APP2 behind "MPF" and its zero.

    Returns:
        An entry for each picture; none if the index is damaged.
    """
    order = {b"II*\0": "<", b"MM\0*": ">"}.get(segment[:4])
    if order is None:
        return []
    try:
        (first,) = struct.unpack_from(f"{order}I", segment, 4)
        (count,) = struct.unpack_from(f"{order}H", segment, first)
        for place in range(first + 2, first + 2 + 12 * count, 12):
            tag, _, length, at = struct.unpack_from(f"{order}HHII", segment, place)
            if tag == _MPF_ENTRIES:  # 16 bytes each: attributes, size, offset, two dependents
                starts = range(at, at + min(length, len(segment)) - 15, 16)
                entries = [struct.unpack_from(f"{order}III", segment, each) for each in starts]
                return [MpfImage(kind & 0xFFFFFF, size, start) for kind, size, start in entries]
    except struct.error:
        pass
    return []


def jpeg_auxiliary_notes(
    segments: Iterable[tuple[str, bytes]], file: BinaryIO, index_at: int | None
) -> list[str]:
    """Name the auxiliary media in a JPEG.

    Args:
        segments: the name (such as APP2) and content of each segment.
        file: the JPEG.
        index_at: where the content of the MPF index begins in the file, behind "MPF" and its zero.
    """
    notes: list[str] = []
    for name, data in segments:
        if name == "APP2" and data.startswith(b"MPF\0"):
            for each in read_mpf(data[4:])[1:]:
                # A reduced copy shows nothing more than the picture.
                if each.kind not in _REDUCED_TYPES:
                    notes.append(_mpf_note(each, file, index_at))
        elif name == "APP2" and data.startswith(_ISO_GAIN_MAP):
            notes.append(GAIN_MAP)
    if _ends_with_film(file):
        notes.append(MOTION)
    return notes


def _mpf_note(picture: MpfImage, file: BinaryIO, index_at: int | None) -> str:
    if picture.kind == _STEREO_TYPE:
        return SECOND_EYE
    if index_at is None or not picture.at:
        return OTHER_PICTURES
    file.seek(index_at + picture.at)
    head = file.read(min(picture.length, _HEAD_BYTES))
    if any(name in head for name in (b"hdr-gain-map/", b"/HDRGainMap/", _ISO_GAIN_MAP)):
        return GAIN_MAP
    return DEPTH if b"apple.com/depth" in head or b"apple.com/portrait" in head else OTHER_PICTURES


def _ends_with_film(file: BinaryIO) -> bool:
    """Tell whether the list that Samsung appends to a file names a film."""
    end = file.seek(0, 2)
    file.seek(max(0, end - 8))
    size, name = struct.unpack("<I4s", file.read(8).rjust(8, b"\0"))
    if name != b"SEFT" or size + 8 > end:
        return False
    file.seek(end - 8 - size)
    entries = file.read(min(size, 12 + 12 * 64))
    # The list has a head of 12 bytes; an entry of 12 bytes states its type in bytes 2 and 3.
    return any(
        struct.unpack_from("<H", entries, at + 2)[0] == _SAMSUNG_FILM
        for at in range(12, len(entries) - 11, 12)
    )


def heif_auxiliary_notes(info: Mapping[Any, Any], pictures: int) -> list[str]:
    """Name the auxiliary media in a HEIC.

    Args:
        info: ``Image.info`` from the Pillow plugin of the extra [heic].
        pictures: the number of pictures in the file.
    """
    kinds = [str(kind).lower() for kind in info.get("aux") or {}]
    notes = [GAIN_MAP for kind in kinds if "gainmap" in kind or "21496" in kind]
    notes += [DEPTH for kind in kinds if "depth" in kind or "matte" in kind]
    notes += [DEPTH] if info.get("depth_images") else []
    return notes + ([OTHER_HEIF_PICTURES] if pictures > 1 else [])


def distinct_notes(notes: Iterable[str]) -> list[str]:
    """Remove repeated notes, and general notes if there are specific ones."""
    distinct = list(dict.fromkeys(notes))
    general = (OTHER_PICTURES, OTHER_HEIF_PICTURES)
    return [note for note in distinct if note not in general] or distinct
