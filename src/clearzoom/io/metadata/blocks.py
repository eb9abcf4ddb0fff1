"""The metadata blocks of a picture file, read as bytes: EXIF, XMP, IPTC, texts and Photoshop's."""

import struct
import warnings
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, BinaryIO, cast

from PIL import Image, JpegImagePlugin, TiffImagePlugin, UnidentifiedImageError

from clearzoom.io.heif_boxes import holds_gain_map
from clearzoom.io.metadata.auxiliary_media import (
    GAIN_MAP,
    distinct_notes,
    heif_auxiliary_notes,
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
from clearzoom.io.metadata.pillow_header import open_header
from clearzoom.io.metadata.png_chunks import SIGNATURE as PNG_SIGNATURE
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
from clearzoom.io.picture_file import PictureFile
from clearzoom.io.pixel_aspect import pixel_aspect

_IPTC_RESOURCE = 0x0404


@dataclass(frozen=True)
class Metadata:
    """The metadata of a picture.

    ``exif`` is a TIFF structure, ``xmp`` a packet in UTF-8 and ``iptc`` plain IIM records.
    ``texts`` are the texts of a PNG, or the comments of a JPEG or GIF. ``photoshop`` holds
    Photoshop's other resources, one after the other. ``calibration`` is a resolution in a unit that
    TIFF has no number for. ``turned_by_xmp`` means that only XMP states an orientation, which was
    not applied.
    """

    exif: bytes | None = None
    xmp: bytes | None = None
    iptc: bytes | None = None
    texts: tuple[Text, ...] = ()
    photoshop: bytes | None = None
    calibration: Calibration | None = None
    turned_by_xmp: bool = False


def read_metadata(path: Path) -> tuple[Metadata, list[str]]:
    """Open a picture file and read its metadata; no px are decoded.

    Args:
        path: any picture.

    Returns:
        The metadata, and a line for each block that could not be read.

    Raises:
        OSError: the file cannot be opened.
    """
    with PictureFile(path) as file:
        return metadata_in(file)


def metadata_in(file: PictureFile) -> tuple[Metadata, list[str]]:
    """Read the metadata of an open picture file; no px are decoded.

    Args:
        file: any picture.

    Returns:
        The metadata, and a line for each block that could not be read.
    """
    try:
        texts, problems = read_texts(file)
        photoshop, iptc, more = read_photoshop(file)
        problems += more + dropped_tags(file.file) + dropped_chunks(file.png_chunks)
        calibration = calibration_of(file.file) or pixel_aspect(file)
    except OSError as error:
        return Metadata(), [f"metadata could not be read: {error.strerror}"]
    blocks = Metadata()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Pillow warns of the faults that are reported here.
        try:
            if file.start.startswith(PNG_SIGNATURE):
                info, damaged = file.png_blocks
                problems += damaged
                blocks = _read(None, info, file, problems)
            else:
                with open_header(file) as picture:
                    blocks = _read(picture, picture.info, file, problems)
        except UnidentifiedImageError:
            problems += unread_blocks(file.file)
        except Exception as error:  # Pillow raises any exception for a damaged block.
            problems.append(f"metadata could not be read: {error or type(error).__name__}")
    blocks = replace(blocks, iptc=blocks.iptc or iptc, texts=texts)
    return replace(blocks, photoshop=photoshop, calibration=calibration), problems


def _read(
    picture: Image.Image | None, info: dict[Any, Any], file: PictureFile, problems: list[str]
) -> Metadata:
    """Bring the blocks that Pillow, or for PNG ``png_blocks``, has found into one form."""
    exif, iptc = None, None
    kind = picture.format if picture is not None else "PNG"
    try:
        if picture is not None and kind == "TIFF":
            exif = _exif_of_tiff(picture, file.file, problems)
        elif info.get("exif"):  # It is None for a HEIC without EXIF.
            exif = strip_head(info["exif"])
    except Exception as error:
        problems.append(f"EXIF could not be read: {error or type(error).__name__}")
    try:
        iptc = iptc_of_tiff(file.file) if kind == "TIFF" else _iptc(info)
    except Exception as error:
        problems.append(f"IPTC could not be read: {error or type(error).__name__}")
    xmp = info.get("xmp") or xmp_of_gif(file.gif_extensions)
    if isinstance(xmp, str):
        xmp = xmp.encode()
    if isinstance(picture, JpegImagePlugin.JpegImageFile) and xmp:
        xmp, unread = joined_xmp(xmp, picture.applist)
        problems += unread
    xmp, auxiliary = usable_xmp(xmp, problems) if xmp else (None, [])
    if isinstance(picture, JpegImagePlugin.JpegImageFile):
        auxiliary += jpeg_auxiliary_notes(picture.applist, file.file, info.get("mpoffset"))
    elif kind == "HEIF":
        auxiliary += heif_auxiliary_notes(info, getattr(picture, "n_frames", 1))
    if kind in ("HEIF", "AVIF") and holds_gain_map(file.heif_meta):
        auxiliary.append(GAIN_MAP)
    if not auxiliary and not _has_mpf_index(picture):
        auxiliary += trailing_data_notes(file.file)
    if holds_credentials(file):
        auxiliary.append(CREDENTIALS)
    problems += distinct_notes(auxiliary)
    return Metadata(exif or None, xmp, iptc or None)


def _has_mpf_index(picture: Image.Image | None) -> bool:
    """Tell whether a JPEG itself states which pictures follow it in the file."""
    segments = picture.applist if isinstance(picture, JpegImagePlugin.JpegImageFile) else []
    return any(name == "APP2" and data.startswith(b"MPF\0") for name, data in segments)


def usable_xmp(packet: bytes, problems: list[str]) -> tuple[bytes | None, list[str]]:
    """Return a packet as UTF-8 without references to auxiliary media, and notes on these.

    Args:
        packet: as a picture states it; a damaged one is kept as far as it can be read.
        problems: gets a line where it is damaged.
    """
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
    fields_before = len(top_fields(root))
    notes = remove_auxiliary_fields(root)
    return packed(root) if len(top_fields(root)) < fields_before else plain, notes


def _exif_of_tiff(picture: Image.Image, file: BinaryIO, problems: list[str]) -> bytes | None:
    """Copy a TIFF's descriptive tags and its EXIF and GPS directories into a block."""
    if any(tag in picture.tag_v2 for tag in MAP_TAGS):  # type: ignore[attr-defined]
        problems.append("the place on a map (GeoTIFF) is not kept")
    tags = list(read_tags(file, describes))
    exif = picture.getexif()
    below, at = b"", 8
    for ifd in (0x8769, 0x8825):
        if part := exif.get_ifd(ifd):
            # The values of a directory are at absolute offsets, so it is packed for its place.
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

    Returns:
        The horizontal and the vertical resolution, or None if EXIF states none.
    """
    if exif is None:
        return None
    block = Image.Exif()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            block.load(exif)
            x, y, unit = float(block[282]), float(block[283]), block.get(296, 2)
    except Exception:  # Pillow raises any exception for a damaged block, which has its note.
        return None
    inches = {2: 1.0, 3: 2.54}.get(unit)
    return (x * inches, y * inches) if inches and 0 < x < 1e6 and 0 < y < 1e6 else None


def resources(block: bytes) -> bytes:
    """Extract IPTC from Photoshop's resources; plain records are returned as they are.

    Args:
        block: resources, or records.

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
    """Wrap IPTC records as the Photoshop resource that JPEG's APP13 holds."""
    padding = b"\0" * (len(iptc) % 2)
    head = struct.pack(">4sHHI", b"8BIM", _IPTC_RESOURCE, 0, len(iptc))
    return b"Photoshop 3.0\0" + head + iptc + padding
