"""Keep a store within its size: what was used last stays."""

import shutil
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path


def remove(path: Path) -> None:
    """Take a file or a folder away, if it can be."""
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        with suppress(OSError):
            path.unlink()


def forget_oldest(
    stored: Iterable[tuple[float, int, Path]],
    most_bytes: float,
    take_away: Callable[[Path], None] = remove,
) -> None:
    """Take files or folders away, the oldest first, until the rest is small enough.

    Args:
        stored: of each the time of its last use, its size in bytes and its path.
        most_bytes: of the rest.
        take_away: one of them.
    """
    found = sorted(stored)
    total = sum(size for _, size, _ in found)
    for _, size, path in found:
        if total <= most_bytes:
            break
        take_away(path)
        total -= size
