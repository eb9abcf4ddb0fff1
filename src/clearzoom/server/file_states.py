"""What tells one state of a file from another without reading it, and whether files can be read."""

import os
from contextlib import ExitStack
from pathlib import Path

FileState = tuple[int, int, int, int]
"""Times of the last change of the content and of the file's entry (ns), inode, size in bytes."""


def state_of(path: Path) -> FileState:
    """Return the state of a file, which differs after each change and each replacement.

    A copy that keeps times and has an equal size still has another inode, or was changed later.

    Args:
        path: a file; links are followed.

    Raises:
        OSError: there is no such file, or its state cannot be read.
    """
    found = path.stat()
    return found.st_mtime_ns, found.st_ctime_ns, found.st_ino, found.st_size


def has_files_left(count: int) -> bool:
    """Return whether this process can open so many more files.

    A picture looks damaged to a decoder that cannot open a file.

    Args:
        count: how many.
    """
    try:
        with ExitStack() as opened:
            for _ in range(count):
                opened.enter_context(Path(os.devnull).open("rb"))
    except OSError:
        return False
    return True
