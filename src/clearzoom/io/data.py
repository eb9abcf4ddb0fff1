"""The folder for what a person made or brought, and nobody can fetch again."""

import os
from pathlib import Path

import platformdirs


def data_folder() -> Path:
    r"""Say where a person's own files are kept; the folder need not exist yet.

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
