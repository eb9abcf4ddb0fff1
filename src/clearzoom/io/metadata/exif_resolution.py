"""EXIF with a resolution, for formats that state it nowhere else."""

import struct

from clearzoom.io.metadata.tiff_entries import entries_of

_X_RESOLUTION, _Y_RESOLUTION, _UNIT = 0x011A, 0x011B, 0x0128
_SHORT, _RATIONAL = 3, 5


def exif_with_resolution(exif: bytes | None, dpi: tuple[float, float]) -> bytes:
    """Make EXIF state a resolution, for formats that state it nowhere else.

    Args:
        exif: from ``updated_exif``, or None for a block with nothing else.
        dpi: horizontal, vertical.

    Returns:
        The block; where tags were missing with a new first directory behind it, so that no other
        byte moved.

    Raises:
        ValueError: it is no TIFF structure, or its offsets lead nowhere.
    """
    exif = exif or struct.pack("<4sIHI", b"II*\0", 8, 0, 0)
    order = "<" if exif.startswith(b"II") else ">"
    try:
        (first,) = struct.unpack_from(order + "I", exif, 4)
        old = list(entries_of(exif, order, first))
        following = first + 2 + 12 * len(old)
        # Some blocks end without saying that no directory follows.
        after = 0
        if following + 4 <= len(exif):
            (after,) = struct.unpack_from(order + "I", exif, following)
    except struct.error as error:
        raise ValueError("the EXIF block is damaged") from error
    wanted = {_X_RESOLUTION: _RATIONAL, _Y_RESOLUTION: _RATIONAL, _UNIT: _SHORT}
    fitting = {
        entry.tag for entry in old if (entry.kind, entry.count) == (wanted.get(entry.tag), 1)
    }
    if fitting == set(wanted):
        return exif
    kept = {entry.tag: exif[entry.at : entry.at + 12] for entry in old if entry.tag not in wanted}
    block = exif + b"\0" * (len(exif) % 2)
    values_at = len(block) + 2 + 12 * (len(kept) + 3) + 4
    for place, tag in enumerate((_X_RESOLUTION, _Y_RESOLUTION)):
        kept[tag] = struct.pack(order + "HHII", tag, _RATIONAL, 1, values_at + 8 * place)
    kept[_UNIT] = struct.pack(order + "HHIHH", _UNIT, _SHORT, 1, 2, 0)
    directory = b"".join(entry for _, entry in sorted(kept.items()))
    below = 1000 if max(dpi) * 1000 < 2**32 else 1
    values = b"".join(struct.pack(order + "II", round(value * below), below) for value in dpi)
    head = block[:4] + struct.pack(order + "I", len(block)) + block[8:]
    return (
        head
        + struct.pack(order + "H", len(kept))
        + directory
        + struct.pack(order + "I", after)
        + values
    )
