"""The folder for what is fetched once and can be fetched again."""

import os
from pathlib import Path


def cache_folder() -> Path:
    """Say where fetched files are kept; the folder need not exist yet.

    Returns:
        $CLEARZOOM_CACHE, else $XDG_CACHE_HOME/clearzoom, else ~/.cache/clearzoom.

    References:
        XDG Base Directory Specification 0.8: an empty variable counts as unset.

    Example:
        >>> from unittest import mock
        >>> with mock.patch.dict(os.environ, CLEARZOOM_CACHE="/var/cache/zoom"):
        ...     cache_folder().as_posix()
        '/var/cache/zoom'
    """
    own = os.environ.get("CLEARZOOM_CACHE")
    if own:
        return Path(own).expanduser()
    general = os.environ.get("XDG_CACHE_HOME")
    return (Path(general) if general else Path.home() / ".cache") / "clearzoom"
