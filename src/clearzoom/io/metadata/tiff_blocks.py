"""Blocks of bytes that a TIFF's tag holds, of whatever kind and byte order the file calls them."""

from pathlib import Path

from clearzoom.io.metadata.tiff_tags import LONG, read_tags, turned


def block_of_tiff(path: Path, number: int, starts: tuple[bytes, ...]) -> bytes | None:
    """Read a block of the first directory.

    Such a tag should hold bytes; some programs call them LONGs, ASCII or yet something else, and
    some turn each LONG to the file's byte order, others do not. What begins as it should is right.

    Args:
        path: a TIFF.
        number: of the tag.
        starts: what the block may begin with.

    Returns:
        The block, or None where the tag is missing or empty.

    Raises:
        ValueError: the tag holds something else, or the file's directory is damaged.
    """
    there = []

    def wanted(each: int, kind: int) -> bool:
        there.append(each)
        return each == number

    with path.open("rb") as file:
        tag = next(read_tags(file, wanted), None)
    if tag is None and number in there:
        raise ValueError("its tag is cut, too long or of an unknown kind")
    if tag is None or not tag.data.strip(b"\0"):
        return None
    for data in (tag.data, turned(tag.data, tag.kind), turned(tag.data, LONG)):
        if data.startswith(starts):
            return data
    raise ValueError("it does not begin as it should")
