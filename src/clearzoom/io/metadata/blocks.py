"""EXIF, XMP and IPTC of a picture file, as the bytes that stand in it."""

import struct
import warnings
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

from PIL import Image, JpegImagePlugin, TiffImagePlugin, UnidentifiedImageError

from clearzoom.io.heif_boxes import holds_gain_map
from clearzoom.io.metadata.auxiliary_media import (
    GAIN_MAP,
    heif_auxiliary_notes,
    joined,
    jpeg_auxiliary_notes,
    remove_auxiliary_fields,
)
from clearzoom.io.metadata.credentials import CREDENTIALS, holds_credentials
from clearzoom.io.metadata.dropped_chunks import dropped_chunks
from clearzoom.io.metadata.dropped_tags import dropped_tags, unread_blocks
from clearzoom.io.metadata.exif import strip_head
from clearzoom.io.metadata.extended_xmp import joined_xmp
from clearzoom.io.metadata.gif_texts import xmp_of_gif
from clearzoom.io.metadata.imagej import Calibration, calibration_of
from clearzoom.io.metadata.iptc import iptc_of_tiff
from clearzoom.io.metadata.photoshop_files import read_photoshop
from clearzoom.io.metadata.pillow_header import opened
from clearzoom.io.metadata.png_blocks import is_png, png_blocks
from clearzoom.io.metadata.png_texts import Text
from clearzoom.io.metadata.texts import read_texts
from clearzoom.io.metadata.tiff_tags import (
    INTEROPERABILITY,
    LONG,
    MAP_TAGS,
    Tag,
    describes,
    packed_tags,
    read_tags,
)
from clearzoom.io.metadata.trailing_data import trailing_data_notes
from clearzoom.io.metadata.xmp import plain_packet, recovered_packet
from clearzoom.io.metadata.xmp_packets import packed, parsed, top_fields
from clearzoom.io.pixel_aspect import pixel_aspect

_IPTC_RESOURCE = 0x0404


@dataclass(frozen=True)
class Metadata:
    """The blocks as they stand.

    ``exif`` is a TIFF structure, ``iptc`` plain IIM records, ``texts`` those of PNG, and the
    comments of JPEG and GIF. ``photoshop``: its other resources, one after the other.
    ``calibration``: a resolution in a unit of its own. ``turned_by_xmp``: XMP alone says
    that the picture is turned, and it was not.
    """

    exif: bytes | None = None
    xmp: bytes | None = None
    iptc: bytes | None = None
    texts: tuple[Text, ...] = ()
    photoshop: bytes | None = None
    calibration: Calibration | None = None
    turned_by_xmp: bool = False


def read_metadata(path: Path) -> tuple[Metadata, list[str]]:
    """Read the blocks of a picture file; its pixels are not touched.

    Args:
        path: any picture.

    Returns:
        What there is, and a line for each block that could not be read.
    """
    problems: list[str] = []
    try:
        texts, problems = read_texts(path)
        photoshop, iptc, more = read_photoshop(path)
        problems += more + dropped_tags(path) + dropped_chunks(path)
        calibration = calibration_of(path) or pixel_aspect(path)
    except OSError as error:
        return Metadata(), [f"metadata could not be read: {error.strerror}"]
    blocks = Metadata()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Pillow warns of faults that are reported here
        try:
            if is_png(path):
                info, damaged = png_blocks(path)
                problems += damaged
                blocks = _read(None, info, path, problems)
            else:
                with opened(path) as picture:
                    blocks = _read(picture, picture.info, path, problems)
        except UnidentifiedImageError:
            problems += unread_blocks(path)
        except Exception as error:  # a damaged block raises anything
            problems.append(f"metadata could not be read: {error or type(error).__name__}")
    blocks = replace(blocks, iptc=blocks.iptc or iptc, texts=texts)
    return replace(blocks, photoshop=photoshop, calibration=calibration), problems


def _read(
    picture: Image.Image | None, info: dict[Any, Any], path: Path, problems: list[str]
) -> Metadata:
    """Read what Pillow, or for PNG ``png_blocks``, has found."""
    exif, iptc = None, None
    kind = picture.format if picture is not None else "PNG"
    try:
        if picture is not None and kind == "TIFF":
            exif = _exif_of_tiff(picture, path, problems)
        elif info.get("exif"):  # HEIC without EXIF gives None
            exif = strip_head(info["exif"])
    except Exception as error:
        problems.append(f"EXIF could not be read: {error or type(error).__name__}")
    try:
        iptc = iptc_of_tiff(path) if kind == "TIFF" else _iptc(info)
    except Exception as error:
        problems.append(f"IPTC could not be read: {error or type(error).__name__}")
    xmp = info.get("xmp") or xmp_of_gif(path)
    if isinstance(xmp, str):
        xmp = xmp.encode()
    if isinstance(picture, JpegImagePlugin.JpegImageFile) and xmp:
        xmp, unread = joined_xmp(xmp, picture.applist)
        problems += unread
    xmp, companions = _xmp(xmp, problems) if xmp else (None, [])
    if isinstance(picture, JpegImagePlugin.JpegImageFile):
        companions += jpeg_auxiliary_notes(picture.applist, path, info.get("mpoffset"))
    elif kind == "HEIF":
        companions += heif_auxiliary_notes(info, getattr(picture, "n_frames", 1))
    if kind in ("HEIF", "AVIF") and holds_gain_map(path):
        companions.append(GAIN_MAP)
    if not companions and not _has_list(picture):
        companions += trailing_data_notes(path)
    if holds_credentials(path):
        companions.append(CREDENTIALS)
    problems += joined(companions)
    return Metadata(exif or None, xmp, iptc or None)


def _has_list(picture: Image.Image | None) -> bool:
    """Whether a JPEG says itself which pictures lie behind its own."""
    segments = picture.applist if isinstance(picture, JpegImagePlugin.JpegImageFile) else []
    return any(name == "APP2" and data.startswith(b"MPF\0") for name, data in segments)


def _xmp(packet: bytes, problems: list[str]) -> tuple[bytes | None, list[str]]:
    """Bring a packet into a plain form, without what it says of things beside the picture."""
    try:
        plain = plain_packet(packet)
    except ValueError as error:
        try:
            plain = recovered_packet(packet)
        except ValueError:
            problems.append(f"XMP could not be read: {error}")
            return None, []
        problems.append(f"XMP is damaged, and only what could be read of it is kept: {error}")
    root = parsed(plain)
    before = len(top_fields(root))
    notes = remove_auxiliary_fields(root)
    return packed(root) if len(top_fields(root)) < before else plain, notes


def _exif_of_tiff(picture: Image.Image, path: Path, problems: list[str]) -> bytes | None:
    """Put what describes, and EXIF's own directories, into a block of their own."""
    if any(tag in picture.tag_v2 for tag in MAP_TAGS):  # type: ignore[attr-defined]
        problems.append("the place on a map (GeoTIFF) is not kept")
    with path.open("rb") as file:
        tags = list(read_tags(file, describes))
    exif = picture.getexif()
    below, at = b"", 8
    for ifd in (0x8769, 0x8825):
        if part := exif.get_ifd(ifd):
            directory = TiffImagePlugin.ImageFileDirectory_v2(b"II*\0" + bytes(4), group=ifd)
            for key, value in part.items():
                if key != INTEROPERABILITY:
                    directory[key] = value
            tags.append(Tag(ifd, LONG, 1, struct.pack("<I", at)))
            below += directory.tobytes(at)
            below += b"\0" * (len(below) % 2)
            at = 8 + len(below)
    return struct.pack("<4sI", b"II*\0", at) + below + packed_tags(tags, at) if tags else None


def _iptc(info: dict[Any, Any]) -> bytes | None:
    if isinstance(info.get("photoshop"), dict):
        return cast(bytes | None, info["photoshop"].get(_IPTC_RESOURCE))
    return resources(info["iptc"]) if "iptc" in info else None


def stated_dpi(exif: bytes | None) -> tuple[float, float] | None:
    """Read the resolution that EXIF states, in px per inch.

    Args:
        exif: a TIFF structure, or None.
    """
    if exif is None:
        return None
    block = Image.Exif()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            block.load(exif)
            x, y, unit = float(block[282]), float(block[283]), block.get(296, 2)
    except Exception:  # a damaged block raises anything; it was reported where it was read
        return None
    inches = {2: 1.0, 3: 2.54}.get(unit)
    return (x * inches, y * inches) if inches and 0 < x < 1e6 and 0 < y < 1e6 else None


def resources(block: bytes) -> bytes:
    """Find IPTC in Photoshop's resources; plain records come back as they are.

    Raises:
        ValueError: the resources end too early.
    """
    block = block.removeprefix(b"Photoshop 3.0\0")
    at = 0
    while block[at : at + 4] == b"8BIM":
        try:
            kind, named = struct.unpack_from(">HB", block, at + 4)
            at += 6 + named + 1 + (named + 1) % 2
            (length,) = struct.unpack_from(">I", block, at)
        except struct.error as error:
            raise ValueError("the resources are cut") from error
        if kind == _IPTC_RESOURCE:
            return block[at + 4 : at + 4 + length]
        at += 4 + length + length % 2
    return block if block.startswith(b"\x1c") else b""


def as_resource(iptc: bytes) -> bytes:
    """Wrap IPTC records as the resource that JPEG's APP13 holds."""
    padding = b"\0" * (len(iptc) % 2)
    head = struct.pack(">4sHHI", b"8BIM", _IPTC_RESOURCE, 0, len(iptc))
    return b"Photoshop 3.0\0" + head + iptc + padding
