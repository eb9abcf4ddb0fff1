"""IPTC's records of a TIFF."""

from pathlib import Path

from clearzoom.io.metadata.tiff_blocks import block_of_tiff

_TAG = 33723
_RECORD = b"\x1c"


def iptc_of_tiff(path: Path) -> bytes | None:
    """Read IPTC's records.

    Args:
        path: a TIFF.

    Returns:
        The records, or None where the tag is missing or empty.

    Raises:
        ValueError: the tag holds something else, or the file's directory is damaged.
    """
    return block_of_tiff(path, _TAG, (_RECORD,))
