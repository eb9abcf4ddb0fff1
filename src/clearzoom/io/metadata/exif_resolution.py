"""A resolution in EXIF, for formats that have no other place for it."""

import struct

from clearzoom.io.metadata.tiff_entries import entries_of

_X_RESOLUTION, _Y_RESOLUTION, _UNIT = 0x011A, 0x011B, 0x0128
_SHORT, _RATIONAL = 3, 5


def exif_with_resolution(exif: bytes | None, dpi: tuple[float, float]) -> bytes:
    """Add a resolution to EXIF if it states none.

    Args:
        exif: a block from ``updated_exif``, or None for a block with the resolution only.
        dpi: the horizontal and the vertical resolution.

    Returns:
        The block. If tags were missing, it has a new first directory behind its end, so that no
        other byte moves.

    Raises:
        ValueError: it is no TIFF structure, or an offset exceeds it.
    """
    exif = exif or struct.pack("<4sIHI", b"II*\0", 8, 0, 0)
    order = "<" if exif.startswith(b"II") else ">"
    try:
        (first,) = struct.unpack_from(order + "I", exif, 4)
        old = list(entries_of(exif, order, first))
        following = first + 2 + 12 * len(old)
        # Some blocks lack the 4 bytes with the offset of the next directory.
        after = 0
        if following + 4 <= len(exif):
            (after,) = struct.unpack_from(order + "I", exif, following)
    except struct.error as error:
        raise ValueError("the EXIF block is damaged") from error
    types = {_X_RESOLUTION: _RATIONAL, _Y_RESOLUTION: _RATIONAL, _UNIT: _SHORT}
    stated = {each.tag for each in old if (each.kind, each.count) == (types.get(each.tag), 1)}
    if stated == set(types):
        return exif
    entries = {each.tag: exif[each.at : each.at + 12] for each in old if each.tag not in types}
    block = exif + b"\0" * (len(exif) % 2)
    values_at = len(block) + 2 + 12 * (len(entries) + 3) + 4
    for place, tag in enumerate((_X_RESOLUTION, _Y_RESOLUTION)):
        entries[tag] = struct.pack(order + "HHII", tag, _RATIONAL, 1, values_at + 8 * place)
    entries[_UNIT] = struct.pack(order + "HHIHH", _UNIT, _SHORT, 1, 2, 0)  # 2: inch
    directory = b"".join(entry for _, entry in sorted(entries.items()))
    below = 1000 if max(dpi) * 1000 < 2**32 else 1
    values = b"".join(struct.pack(order + "II", round(value * below), below) for value in dpi)
    head = block[:4] + struct.pack(order + "I", len(block)) + block[8:]
    return (
        head
        + struct.pack(order + "H", len(entries))
        + directory
        + struct.pack(order + "I", after)
        + values
    )
