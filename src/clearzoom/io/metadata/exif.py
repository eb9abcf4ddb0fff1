"""Change EXIF in place: no byte moves, because maker notes contain offsets of their own."""

import io
import struct
from collections.abc import Sequence

from clearzoom.io.metadata.exif_previews import empty_previews, empty_thumbnails
from clearzoom.io.metadata.image_regions import place_subject
from clearzoom.io.metadata.tiff_directories import Directories
from clearzoom.io.metadata.tiff_entries import Entry, entries_of, remove_entry
from clearzoom.io.placement import Placement

_HEAD = b"Exif\0\0"
_IFD0_WIDTH, _IFD0_HEIGHT, _ORIENTATION = 0x0100, 0x0101, 0x0112
_X_RESOLUTION, _Y_RESOLUTION, _UNIT = 0x011A, 0x011B, 0x0128
_EXIF_IFD, _INTEROPERABILITY_IFD = 0x8769, 0xA005
_WIDTH, _HEIGHT, _RELATED_WIDTH, _RELATED_HEIGHT = 0xA002, 0xA003, 0x1001, 0x1002
_SUBJECTS = (0x9214, 0xA214)  # area, location
_FOCAL_PLANE = (0xA20E, 0xA20F)  # px per unit of length on the sensor
_SHORT, _LONG, _RATIONAL = 3, 4, 5
_SIDES = {
    _IFD0_WIDTH: 0,
    _IFD0_HEIGHT: 1,
    _WIDTH: 0,
    _HEIGHT: 1,
    _RELATED_WIDTH: 0,
    _RELATED_HEIGHT: 1,
}


def strip_head(exif: bytes) -> bytes:
    """Remove the "Exif" that a JPEG stores before the TIFF structure (Exif 2.32, 4.7.2)."""
    return exif.removeprefix(_HEAD)


def states_orientation(exif: bytes | None) -> bool:
    """Tell whether EXIF states an orientation.

    Args:
        exif: a TIFF structure, or None.
    """
    try:
        page = next(Directories(io.BytesIO(exif or b"")).pages())
    except (ValueError, StopIteration):
        return False
    return page.first(_ORIENTATION, 0) in range(1, 9)


def updated_exif(
    exif: bytes, placement: Placement, dpi: tuple[float, float] | None
) -> tuple[bytes, list[str]]:
    """Rewrite EXIF so that it describes the result.

    The orientation becomes 1, because it was applied. Sizes, resolutions and the position of the
    subject are rewritten in place. If the picture was turned or cropped, thumbnails are filled with
    zeros; if it was cropped, so are previews in maker notes.

    Args:
        exif: a TIFF structure, with or without "Exif" before it.
        placement: where the input's px lie in the result.
        dpi: the result's resolution; None leaves the stated resolution as it is.

    Returns:
        The structure, of the same length, without "Exif" before it; and a line for each thing that
        could not be kept.

    Raises:
        ValueError: it is no TIFF structure, or an offset exceeds it.
    """
    tiff = bytearray(strip_head(exif))
    notes: list[str] = []
    orders = {b"II*\0": "<", b"MM\0*": ">"}
    try:
        order = orders[bytes(tiff[:4])]
        (first,) = struct.unpack_from(order + "I", tiff, 4)
        entries = list(entries_of(tiff, order, first))
        following = first + 2 + 12 * len(entries)
        shows_other = placement.is_turned or placement.is_cut or _is_turned(tiff, order, entries)
        if shows_other and following + 4 <= len(tiff):
            empty_thumbnails(tiff, order, following)
        if placement.is_cut and empty_previews(tiff):
            notes.append("previews in EXIF were emptied: they showed what was cut away")
        for entry in entries:
            _rewrite_first(tiff, order, entry, dpi)
            _rewrite_side(tiff, order, entry, placement)
            if entry.tag == _EXIF_IFD and entry.kind == _LONG:
                (below,) = struct.unpack_from(order + "I", tiff, entry.at + 8)
                notes += _rewrite_below(tiff, order, below, placement)
    except (KeyError, struct.error) as error:
        raise ValueError("the EXIF block is damaged") from error
    return bytes(tiff), notes


def _is_turned(tiff: bytearray, order: str, entries: list[Entry]) -> bool:
    for entry in entries:
        if (entry.tag, entry.kind, entry.count) == (_ORIENTATION, _SHORT, 1):
            return bool(struct.unpack_from(order + "H", tiff, entry.at + 8)[0] in range(2, 9))
    return False


def _rewrite_below(tiff: bytearray, order: str, ifd: int, placement: Placement) -> list[str]:
    """Rewrite EXIF's own directory."""
    notes: list[str] = []
    entries = list(entries_of(tiff, order, ifd))
    _rewrite_focal_plane(tiff, order, entries, placement)
    for entry in entries:
        _rewrite_side(tiff, order, entry, placement)
        if entry.tag == _INTEROPERABILITY_IFD and entry.kind == _LONG:
            (below,) = struct.unpack_from(order + "I", tiff, entry.at + 8)
            for inner in list(entries_of(tiff, order, below)):
                _rewrite_side(tiff, order, inner, placement)
    outside = [each for each in entries if not _place_subject(tiff, order, each, placement, notes)]
    for entry in outside:
        remove_entry(tiff, order, ifd, entry.tag)
    return notes


def _rewrite_side(tiff: bytearray, order: str, entry: Entry, placement: Placement) -> None:
    axis = _SIDES.get(entry.tag)
    if axis is not None and entry.count == 1 and entry.kind in (_SHORT, _LONG):
        size = placement.result_px[axis]
        struct.pack_into(order + "HII", tiff, entry.at + 2, _LONG, 1, size)


def _rewrite_first(
    tiff: bytearray, order: str, entry: Entry, dpi: tuple[float, float] | None
) -> None:
    if entry.count != 1:
        return
    if entry.tag == _ORIENTATION and entry.kind == _SHORT:
        struct.pack_into(order + "H", tiff, entry.at + 8, 1)
    elif dpi and entry.tag == _UNIT and entry.kind == _SHORT:
        struct.pack_into(order + "H", tiff, entry.at + 8, 2)
    elif dpi and entry.tag in (_X_RESOLUTION, _Y_RESOLUTION) and entry.kind == _RATIONAL:
        value = dpi[entry.tag == _Y_RESOLUTION]
        _put_fraction(tiff, order, entry, value)


def _put_fraction(tiff: bytearray, order: str, entry: Entry, value: float) -> None:
    (where,) = struct.unpack_from(order + "I", tiff, entry.at + 8)
    below = 1000 if value * 1000 < 2**32 else 1
    struct.pack_into(order + "II", tiff, where, round(value * below), below)


def _rewrite_focal_plane(
    tiff: bytearray, order: str, entries: Sequence[Entry], placement: Placement
) -> None:
    there, values = {}, {}
    for entry in entries:
        if entry.tag in _FOCAL_PLANE and (entry.kind, entry.count) == (_RATIONAL, 1):
            (where,) = struct.unpack_from(order + "I", tiff, entry.at + 8)
            above, below = struct.unpack_from(order + "II", tiff, where)
            axis = _FOCAL_PLANE.index(entry.tag)
            there[axis], values[axis] = entry, above / below if below else 0.0
    for axis, entry in there.items():
        density = values.get(1 - axis if placement.is_sideways else axis, values[axis])
        if density and density * placement.times[axis] < 2**32:
            _put_fraction(tiff, order, entry, density * placement.times[axis])


def _place_subject(
    tiff: bytearray, order: str, entry: Entry, placement: Placement, notes: list[str]
) -> bool:
    """Rewrite the position of the subject; return False if its entry must be removed."""
    if entry.tag not in _SUBJECTS or entry.kind != _SHORT or entry.count not in (2, 3, 4):
        return True
    where, form = entry.at + 8, f"{order}{entry.count}H"
    if entry.count > 2:  # More than 4 bytes of values are stored at an offset.
        (where,) = struct.unpack_from(order + "I", tiff, where)
    placed = place_subject(list(struct.unpack_from(form, tiff, where)), placement)
    if placed is None or max(placed) > 65_535:
        struct.pack_into(form, tiff, where, *[0] * entry.count)
        why = "lies outside of the part" if placed is None else "lies beyond px 65,535"
        notes.append(f"the subject's place in EXIF {why}: it was left out")
        return False
    struct.pack_into(form, tiff, where, *placed)
    return True
