"""The rights of this user, checked before any work."""

import os
from pathlib import Path


def may_write(path: Path) -> bool:
    """Tell whether this user may write to a file, or make files in a folder."""
    ways = os.W_OK | os.X_OK if path.is_dir() else os.W_OK
    return os.access(path, ways, effective_ids=os.access in os.supports_effective_ids)
