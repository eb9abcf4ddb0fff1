"""The folders of a person's account: what nobody can fetch again, and what anybody can."""

import os
from pathlib import Path

import platformdirs


def data_folder() -> Path:
    r"""Say where what a person made or brought is kept; the folder need not exist yet.

    Returns:
        $CLEARZOOM_DATA, else the platform's folder for a program's data: on Linux
        $XDG_DATA_HOME/clearzoom or ~/.local/share/clearzoom, on macOS
        ~/Library/Application Support/clearzoom, on Windows %LOCALAPPDATA%\clearzoom.

    Example:
        >>> from unittest import mock
        >>> with mock.patch.dict(os.environ, CLEARZOOM_DATA="/srv/zoom"):
        ...     data_folder().as_posix()
        '/srv/zoom'
    """
    own = os.environ.get("CLEARZOOM_DATA")
    if own:
        return Path(own).expanduser()
    return platformdirs.user_data_path("clearzoom", appauthor=False)


def cache_folder() -> Path:
    r"""Say where what was fetched or made once is kept; the folder need not exist yet.

    Returns:
        $CLEARZOOM_CACHE, else the platform's folder for a program's cache: on Linux
        $XDG_CACHE_HOME/clearzoom or ~/.cache/clearzoom, on macOS ~/Library/Caches/clearzoom,
        on Windows %LOCALAPPDATA%\clearzoom\Cache.

    Example:
        >>> from unittest import mock
        >>> with mock.patch.dict(os.environ, CLEARZOOM_CACHE="/var/cache/zoom"):
        ...     cache_folder().as_posix()
        '/var/cache/zoom'
    """
    own = os.environ.get("CLEARZOOM_CACHE")
    if own:
        return Path(own).expanduser()
    return platformdirs.user_cache_path("clearzoom", appauthor=False)
