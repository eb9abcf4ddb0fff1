"""IPTC records (IIM): read from a TIFF, and without the previews that show the whole input.

References:
    IPTC-NAA Information Interchange Model 4.2, 1.6 (data sets) and 2:200 to 2:202 (previews).
"""

from typing import BinaryIO

from clearzoom.io.metadata.tiff_blocks import block_of_tiff

_TAG = 33723
_RECORD = b"\x1c"
_PREVIEWS = tuple((2, number) for number in (200, 201, 202))


def iptc_of_tiff(file: BinaryIO) -> bytes | None:
    """Read the IPTC records of a TIFF.

    Args:
        file: a TIFF.

    Returns:
        The records, or None if the tag is missing or empty.

    Raises:
        ValueError: the tag holds something else, or the directory is damaged.
    """
    return block_of_tiff(file, _TAG, (_RECORD,))


def without_previews(iptc: bytes) -> bytes:
    """Remove the previews from IPTC records.

    Args:
        iptc: data sets, one after the other.

    Returns:
        The other data sets; bytes that are no data set stay as they are.
    """
    rest, at = b"", 0
    while at + 5 <= len(iptc) and iptc[at] == 0x1C:
        size, begins = int.from_bytes(iptc[at + 3 : at + 5]), at + 5
        if size & 0x8000:  # An extended data set: this is the length of its length (1.6).
            begins += size & 0x7FFF
            size = int.from_bytes(iptc[at + 5 : begins])
        end = begins + size
        if end > len(iptc):
            break
        if (iptc[at + 1], iptc[at + 2]) not in _PREVIEWS:
            rest += iptc[at:end]
        at = end
    return rest + iptc[at:]
