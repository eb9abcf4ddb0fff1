"""The error for a file that is not there."""

from pathlib import Path

from clearzoom.errors import MissingFileError


def missing_file(path: Path) -> MissingFileError:
    """Build the error for a path at which no file is, or a link that leads nowhere.

    Args:
        path: what was given.
    """
    try:
        end = path.readlink()
    except (OSError, ValueError):
        return MissingFileError(f"no file {path}; check the name")
    return MissingFileError(f"{path} is a link to {end}, which is not there; remove or renew it")
