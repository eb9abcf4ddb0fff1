"""How much compression has spoilt a picture, estimated for a page that chooses what to show."""

from functools import lru_cache
from pathlib import Path

from clearzoom.io.compression_error import compression_error_levels
from clearzoom.io.source import Source
from clearzoom.server.file_states import FileState, state_of


def compression_error_of(source: Source) -> float:
    """Estimate the error of a picture's compression from its header, which is read once.

    Args:
        source: a served picture.

    Returns:
        Levels of 255, rounded to tenths; 0 for lossless files, and for large ones of an object
        store of which there is no copy here.
    """
    return _estimated(source.path, source.kind, state_of(source.path))


@lru_cache(maxsize=16_384)
def _estimated(path: Path, kind: str, state: FileState) -> float:
    return round(compression_error_levels(path, kind), 1)
