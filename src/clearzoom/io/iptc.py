"""IPTC's records of a TIFF, of whatever kind and byte order the file says that they are."""

from pathlib import Path

from clearzoom.io.tags import LONG, read_tags, turned

_TAG = 33723
_RECORD = b"\x1c"


def iptc_of_tiff(path: Path) -> bytes | None:
    """Read IPTC's records.

    The tag should hold bytes; some programs call them LONGs, ASCII or yet something else, and some
    turn each LONG to the file's byte order, others do not. What begins as records do is right.

    Args:
        path: a TIFF.

    Returns:
        The records, or None where the tag is missing or empty.

    Raises:
        ValueError: the tag holds something else, or the file's directory is damaged.
    """
    there = []

    def wanted(number: int, kind: int) -> bool:
        there.append(number)
        return number == _TAG

    with path.open("rb") as file:
        tag = next(read_tags(file, wanted), None)
    if tag is None and _TAG in there:
        raise ValueError("its tag is cut, too long or of an unknown kind")
    if tag is None or not tag.data.strip(b"\0"):
        return None
    for data in (tag.data, turned(tag.data, tag.kind), turned(tag.data, LONG)):
        if data.startswith(_RECORD):
            return data
    raise ValueError("it has no records")
