"""The chain of directories in a TIFF or in an EXIF block, and the small integers in them."""

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import BinaryIO

_EXIF, _INTEROPERABILITY, _SUB_DIRECTORIES = 0x8769, 0xA005, 330
_BYTES_OF_KIND = {1: 1, 2: 1, 3: 2, 4: 4, 7: 1, 13: 4, 16: 8, 18: 8}
_MOST_DIRECTORIES = 4096
_MOST_VALUES = 64


@dataclass(frozen=True)
class Directory:
    """The tags with up to 64 integers or characters, by their numbers.

    ``places`` has the offset in the file at which the values of each tag begin.
    """

    values: dict[int, tuple[int, ...]]
    places: dict[int, int] = field(default_factory=dict)

    def first(self, tag: int, otherwise: int) -> int:
        """Return the first value of a tag, or a default."""
        return self.values.get(tag, (otherwise,))[0]


class Directories:
    """Reads the directories of a TIFF or BigTIFF of either byte order.

    Args:
        file: a TIFF, or an EXIF block without "Exif" before it.

    Raises:
        ValueError: it is no TIFF structure.
    """

    def __init__(self, file: BinaryIO) -> None:
        file.seek(0)
        start = file.read(16)
        order = {b"II": "<", b"MM": ">"}.get(start[:2])
        version = struct.unpack(order + "H", start[2:4])[0] if order and len(start) > 7 else 0
        if order is None or version not in (42, 43) or (version == 43 and len(start) < 16):
            raise ValueError("no TIFF structure")
        self._file, self._order, self._big = file, order, version == 43
        where = start[8:16] if self._big else start[4:8]
        (self._first,) = struct.unpack(order + ("Q" if self._big else "I"), where)

    def packed_short(self, number: int) -> bytes:
        """Write a number from 0 to 65,535 in the file's byte order."""
        return struct.pack(self._order + "H", number)

    def pages(self) -> Iterator[Directory]:
        """Follow the chain of directories to its end or to a damaged one."""
        at, seen = self._first, set[int]()
        while at and at not in seen and len(seen) < _MOST_DIRECTORIES:
            seen.add(at)
            try:
                directory, at = self._read(at)
            except (struct.error, OSError, OverflowError):
                return
            yield directory

    def below(self, directory: Directory, tag: int = _SUB_DIRECTORIES) -> list[Directory]:
        """Read the directories that a tag points to; damaged ones are skipped."""
        directories = []
        for at in directory.values.get(tag, ()):
            try:
                directories.append(self._read(at)[0])
            except (struct.error, OSError, OverflowError):
                continue
        return directories

    def of_exif(self) -> list[Directory]:
        """Return the EXIF directory and its interoperability directory, as far as they exist."""
        pages = self.pages()
        exif = self.below(next(pages, Directory({})), _EXIF)[:1]
        return exif + [each for one in exif for each in self.below(one, _INTEROPERABILITY)[:1]]

    def _read(self, at: int) -> tuple[Directory, int]:
        count, entry, word = ("Q", 20, "Q") if self._big else ("H", 12, "I")
        (entries,) = self._unpacked(count, at)
        start = at + struct.calcsize("<" + count)
        if entries > 65_535:
            raise struct.error("a damaged directory")
        values: dict[int, tuple[int, ...]] = {}
        places: dict[int, int] = {}
        for place in range(start, start + entries * entry, entry):
            number, kind, many = self._unpacked("HH" + word, place)
            size = many * _BYTES_OF_KIND.get(kind, 0)
            if not 0 < many <= _MOST_VALUES or not size:
                continue
            room = struct.calcsize("<" + word)
            where = place + entry - room
            try:
                if size > room:
                    (where,) = self._unpacked(word, where)
                letter = {1: "B", 2: "H", 4: "I", 8: "Q"}[_BYTES_OF_KIND[kind]]
                values.setdefault(number, self._unpacked(f"{many}{letter}", where))
                places.setdefault(number, where)
            except struct.error:
                continue
        try:
            (following,) = self._unpacked(word, start + entries * entry)
        except struct.error:  # Some blocks lack the offset of the next directory.
            following = 0
        return Directory(values, places), following

    def _unpacked(self, form: str, at: int) -> tuple[int, ...]:
        self._file.seek(at)
        form = self._order + form
        return struct.unpack(form, self._file.read(struct.calcsize(form)))
