"""How much compression has spoilt a picture, estimated for a page that chooses what to show."""

from functools import lru_cache
from pathlib import Path

from clearzoom.io.compression_error import compression_error_levels
from clearzoom.server.gallery.library import Entry


def compression_error_of(entry: Entry, kind: str) -> float:
    """Estimate the error of a picture's compression from its header, which is read once.

    Args:
        entry: a served picture.
        kind: its format, as ``open_picture`` names it.

    Returns:
        Levels of 255, rounded to tenths; 0 for lossless files.
    """
    state = entry.path.stat()
    return _estimated(entry.path, kind, state.st_mtime_ns, state.st_size)


@lru_cache(maxsize=16_384)
def _estimated(path: Path, kind: str, mtime_ns: int, size: int) -> float:
    return round(compression_error_levels(path, kind), 1)
