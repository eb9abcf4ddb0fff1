"""A folder for copies and decoded pictures; it is removed with its process, or by a later one."""

import atexit
import os
import shutil
import tempfile
from contextlib import suppress
from functools import cache
from pathlib import Path

from clearzoom.io.atomic import remove_dead

_START = "clearzoom-stage-"


def staging_folder(purpose: str) -> Path:
    """Make a new folder among the temporary files, which lasts as long as this process.

    Folders of processes that were killed are removed first.

    Args:
        purpose: a word with which its name begins.
    """
    return Path(tempfile.mkdtemp(prefix=f"{purpose}-", dir=_own(os.getpid())))


@cache
def _own(process: int) -> Path:
    everywhere = Path(tempfile.gettempdir())
    with suppress(OSError):  # the folder may hide its names
        remove_dead(everywhere, _START)
    own = Path(tempfile.mkdtemp(prefix=f"{_START}{process}-", dir=everywhere))
    atexit.register(shutil.rmtree, own, ignore_errors=True)
    return own
