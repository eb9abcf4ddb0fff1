"""The places in a user's account: for data to preserve, for files to fetch again, for defaults."""

import os
from pathlib import Path

import platformdirs


def data_folder() -> Path:
    r"""Return the folder for data that the user made or installed; it need not exist yet.

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


def config_file() -> Path:
    r"""Return the file of the user's default options; it need not exist yet.

    Returns:
        $CLEARZOOM_CONFIG, else config.toml in the platform's folder for a program's configuration:
        on Linux $XDG_CONFIG_HOME/clearzoom or ~/.config/clearzoom, on macOS
        ~/Library/Application Support/clearzoom, on Windows %LOCALAPPDATA%\clearzoom.

    Example:
        >>> from unittest import mock
        >>> with mock.patch.dict(os.environ, CLEARZOOM_CONFIG="/srv/zoom.toml"):
        ...     config_file().as_posix()
        '/srv/zoom.toml'
    """
    own = os.environ.get("CLEARZOOM_CONFIG")
    if own:
        return Path(own).expanduser()
    return platformdirs.user_config_path("clearzoom", appauthor=False) / "config.toml"


def cache_folder() -> Path:
    r"""Return the folder for files that can be fetched or made again; it need not exist yet.

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
