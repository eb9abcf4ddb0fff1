"""Blocks of bytes in a TIFF's tags, whatever type and byte order the file states for them."""

from typing import BinaryIO

from clearzoom.io.metadata.tiff_tags import LONG, read_tags, turned


def block_of_tiff(file: BinaryIO, number: int, starts: tuple[bytes, ...]) -> bytes | None:
    """Read a block of the first directory.

    TIFF stores such a block as BYTE or UNDEFINED. Some programs state LONG, ASCII or another type,
    and some of them reverse each LONG to the file's byte order while others do not. The order in
    which the block begins as expected is the right one.

    Args:
        file: a TIFF.
        number: the number of the tag.
        starts: what the block may begin with.

    Returns:
        The block, or None if the tag is missing or empty.

    Raises:
        ValueError: the tag holds something else, or the directory is damaged.
    """
    numbers = []

    def is_chosen(each: int, kind: int) -> bool:
        numbers.append(each)
        return each == number

    tag = next(read_tags(file, is_chosen), None)
    if tag is None and number in numbers:
        raise ValueError("its tag is cut, too long or of an unknown kind")
    if tag is None or not tag.data.strip(b"\0"):
        return None
    for data in (tag.data, turned(tag.data, tag.kind), turned(tag.data, LONG)):
        if data.startswith(starts):
            return data
    raise ValueError("it does not begin as it should")
