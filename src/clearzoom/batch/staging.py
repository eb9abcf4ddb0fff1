"""Where a process keeps copies for a while: a folder that goes with it, or soon after."""

import atexit
import os
import shutil
import tempfile
from functools import cache
from pathlib import Path

from clearzoom.io.atomic import lives

_START = "clearzoom-stage-"


def staging_folder(purpose: str) -> Path:
    """Give a new folder among the temporary files, for as long as this process lives.

    What processes that were killed have left there goes first.

    Args:
        purpose: a word that begins its name.
    """
    return Path(tempfile.mkdtemp(prefix=f"{purpose}-", dir=_own(os.getpid())))


@cache
def _own(process: int) -> Path:
    everywhere = Path(tempfile.gettempdir())
    for folder in everywhere.glob(f"{_START}*"):
        other = folder.name.removeprefix(_START).partition("-")[0]
        if other.isdecimal() and not lives(int(other)):
            shutil.rmtree(folder, ignore_errors=True)
    own = Path(tempfile.mkdtemp(prefix=f"{_START}{process}-", dir=everywhere))
    atexit.register(shutil.rmtree, own, ignore_errors=True)
    return own
