"""A file that lies elsewhere and is read part by part, for our parsers and for libvips alike."""

from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO, Self, cast


class Parts:
    """Reads a file by means of a function; the methods are those of a file open for reading.

    It has a position of its own and holds nothing open, so closing it does nothing.

    Args:
        read_at: takes an offset and a number of bytes, and returns these bytes. It may be called
            from any thread.
        size_bytes: the file's size.
    """

    def __init__(self, read_at: Callable[[int, int], bytes], size_bytes: int) -> None:
        self._read_at, self._size_bytes, self._at = read_at, size_bytes, 0

    def again(self) -> "Parts":
        """Return the same file, at its beginning, with another position."""
        return Parts(self._read_at, self._size_bytes)

    def read(self, size: int = -1) -> bytes:
        """Read from the position on: all, or at most some bytes."""
        left = max(0, self._size_bytes - self._at)
        count = left if size < 0 else min(size, left)
        content = self._read_at(self._at, count) if count else b""
        self._at += len(content)
        return content

    def seek(self, offset: int, whence: int = 0) -> int:
        """Move the position, and return it; see ``io.IOBase.seek``."""
        self._at = max(0, offset + (0, self._at, self._size_bytes)[whence])
        return self._at

    def tell(self) -> int:
        """Return the position."""
        return self._at

    def close(self) -> None:
        """Do nothing."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()


def open_content(path: Path, parts: Parts | None) -> BinaryIO:
    """Open a file, or the parts of one that is not at its path.

    Raises:
        OSError: the file cannot be opened.
    """
    return path.open("rb") if parts is None else cast("BinaryIO", parts.again())
