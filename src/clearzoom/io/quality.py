"""The best quality at which a file is small enough."""

from collections.abc import Callable
from pathlib import Path

from clearzoom.errors import OutputError


def save_within(
    save_at: Callable[[int], None], path: Path, quality: int, max_bytes: int | None
) -> None:
    """Encode a file, again with lower qualities until it is small enough.

    Args:
        save_at: writes path with a quality, 1 to 100.
        path: is measured after each writing.
        quality: the highest.
        max_bytes: of the file; None for any. Where no quality is low enough, it is larger.
    """
    save_at(quality)
    if max_bytes is None or path.stat().st_size <= max_bytes:
        return
    fits, too_large = 1, quality
    save_at(fits)
    while too_large - fits > 1:
        middle = (fits + too_large) // 2
        save_at(middle)
        if path.stat().st_size <= max_bytes:
            fits = middle
        else:
            too_large = middle
    save_at(fits)


def check_small_enough(path: Path, target: Path, max_bytes: int | None, added_bytes: int) -> None:
    """Refuse a file that could not be made small enough.

    Args:
        path: as it was encoded.
        target: named in the error.
        max_bytes: of the file with what is added.
        added_bytes: of metadata, which is added afterwards.

    Raises:
        OutputError: it is larger.
    """
    size = path.stat().st_size + added_bytes
    if max_bytes is not None and size > max_bytes:
        raise OutputError(
            f"cannot write {target} so small; the smallest is {size:,} bytes: "
            "choose a smaller size or another format"
        )
