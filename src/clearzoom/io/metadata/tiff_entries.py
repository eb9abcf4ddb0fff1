"""The entries of the directories in a TIFF structure in memory (TIFF 6.0, section 2)."""

import struct
from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True)
class Entry:
    """One entry of a directory; its 12 bytes begin at ``at``."""

    tag: int
    kind: int
    count: int
    at: int


def entries_of(tiff: bytes | bytearray, order: str, ifd: int) -> Iterator[Entry]:
    """List the entries of a directory.

    Args:
        tiff: a classic TIFF structure.
        order: "<" or ">".
        ifd: where the directory begins.

    Raises:
        struct.error: the directory exceeds the structure.
    """
    (count,) = struct.unpack_from(order + "H", tiff, ifd)
    for index in range(count):
        at = ifd + 2 + 12 * index
        tag, kind, values = struct.unpack_from(order + "HHI", tiff, at)
        yield Entry(tag, kind, values, at)


def remove_entry(tiff: bytearray, order: str, ifd: int, tag: int) -> None:
    """Remove an entry from its directory; no byte outside the directory moves.

    Args:
        tiff: a classic TIFF structure; it is changed in place.
        order: "<" or ">".
        ifd: where the directory begins.
        tag: the number of the entry.

    Raises:
        struct.error: the directory exceeds the structure.
    """
    entries = list(entries_of(tiff, order, ifd))
    end = ifd + 2 + 12 * len(entries)
    for entry in entries:
        if entry.tag == tag:
            # Some blocks lack the 4 bytes with the offset of the next directory.
            last = min(end + 4, len(tiff))
            rest = bytes(tiff[entry.at + 12 : last])
            tiff[entry.at : last] = rest + bytes(12)
            struct.pack_into(order + "H", tiff, ifd, len(entries) - 1)
            return
