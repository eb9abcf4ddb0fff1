"""Find the best quality at which a file is small enough."""

from collections.abc import Callable
from pathlib import Path

from clearzoom.errors import OutputError


def save_within(
    save_at: Callable[[int], None], path: Path, quality: int, max_bytes: int | None
) -> int:
    """Encode a file with the highest quality at which it is small enough, by bisection.

    Args:
        save_at: writes the file with a quality, 1 to 100.
        path: the file.
        quality: the highest quality.
        max_bytes: the most bytes, or None. If the lowest quality exceeds it, so does the file.

    Returns:
        The quality that the file has.
    """
    save_at(quality)
    if max_bytes is None or path.stat().st_size <= max_bytes:
        return quality
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
    return fits


def check_small_enough(path: Path, target: Path, max_bytes: int | None, added_bytes: int) -> None:
    """Refuse a file that could not be made small enough.

    Args:
        path: the encoded file.
        target: named in the error.
        max_bytes: the most bytes, with metadata, or None.
        added_bytes: the bytes of metadata that are added later.

    Raises:
        OutputError: the file is larger.
    """
    size = path.stat().st_size + added_bytes
    if max_bytes is not None and size > max_bytes:
        raise OutputError(
            f"cannot write {target} so small; the smallest is {size:,} bytes: "
            "choose a smaller size or another format"
        )
