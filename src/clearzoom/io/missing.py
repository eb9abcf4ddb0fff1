"""The error for a file that is not there."""

import os
from difflib import get_close_matches
from pathlib import Path

from clearzoom.errors import MissingFileError

_MOST_NAMES = 2000
"""In folders with more files no near name is looked for, which would take long."""


def missing_file(path: Path, hint: str | None = None) -> MissingFileError:
    """Build the error for a path at which no file is, or a link that leads nowhere.

    Args:
        path: what was given.
        hint: what to do, where the caller knows. ``near_name`` is for callers whose user may see
            all names in the folder; visitors of a server may not.
    """
    try:
        end = path.readlink()
    except (OSError, ValueError):
        return MissingFileError(f"no file {path}; {hint or 'check the name'}")
    return MissingFileError(f"{path} is a link to {end}, which is not there; remove or renew it")


def near_name(path: Path) -> str | None:
    """Name the file of the same folder whose name is nearest.

    Args:
        path: at which no file is.

    Returns:
        A hint for ``missing_file``; None where no name is near, or the folder is very large.
    """
    try:
        with os.scandir(path.parent) as entries:
            names = [entry.name for entry, _ in zip(entries, range(_MOST_NAMES + 1), strict=False)]
    except (OSError, ValueError):
        return None
    if len(names) > _MOST_NAMES:
        return None
    # By stems: two short names with one suffix would resemble each other for that alone.
    stems = {Path(name).stem.casefold(): name for name in names}
    near = get_close_matches(path.stem.casefold(), stems, 1)
    return f"the nearest right one is {stems[near[0]]}" if near else None
