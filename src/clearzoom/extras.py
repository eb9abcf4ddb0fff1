"""The command that installs an optional part, for the way in which clearzoom was installed.

``pip`` notes where a package came from in ``direct_url.json`` (PEP 610): a folder with sources, a
wheel file, an address, a repository. Without such a note it came from an index.
"""

import json
import os
import shlex
import shutil
import sys
import sysconfig
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, distribution
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from urllib.request import url2pathname

_NAME = "clearzoom"
_SOURCES = Path(__file__).parent.parent.parent


def install_command(extra: str) -> str:
    """Give the command that installs an extra into the environment that clearzoom runs in.

    Args:
        extra: the name of the extra, like ``serve``.

    Returns:
        One line for the shell of this system, like ``pip install -e '.[serve]'`` in a checkout, or
        ``pip install 'clearzoom[serve]'`` where clearzoom came from an index. Outside an activated
        environment it names the Python of the environment.

    Example:
        >>> shlex.split(install_command("serve"))[-1].endswith("[serve]")
        True
    """
    return f"{_installer()} {_requirement(extra)}"


def _requirement(extra: str) -> str:
    origin = _origin()
    url = str(origin.get("url", ""))
    parts = urlsplit(url)
    place = Path(url2pathname(parts.path)) if parts.scheme == "file" else None
    if place is not None and place.exists():
        edits = "-e " if origin.get("dir_info", {}).get("editable") else ""
        return edits + _quoted(f"{_from_here(place)}[{extra}]")
    named = f"{_NAME}[{extra}]"
    if place is None and url:
        details = origin.get("vcs_info", {})
        prefix = f"{details['vcs']}+" if details else ""
        revision = details.get("requested_revision")
        return _quoted(f"{named} @ {prefix}{url}" + (f"@{revision}" if revision else ""))
    return _quoted(named)


def _origin() -> dict[str, Any]:
    """Return what pip noted about where clearzoom came from; it is empty for an index."""
    try:
        text = distribution(_NAME).read_text("direct_url.json")
    except PackageNotFoundError:  # sources that were never installed
        if (_SOURCES / "pyproject.toml").is_file():
            return {"url": _SOURCES.as_uri(), "dir_info": {"editable": True}}
        return {}
    try:
        origin = json.loads(text or "{}")
    except ValueError:
        return {}
    return origin if isinstance(origin, dict) else {}


def _from_here(place: Path) -> str:
    with suppress(OSError):  # the working directory may have been removed
        if place.samefile(Path.cwd()):
            return "."
    return str(place)


def _installer() -> str:
    """Give the part of the command that names the environment.

    The ``pip`` that the shell would find may belong to another environment: programs of pipx and
    of ``uv tool``, and those that are started by their path, run in one that is not activated.
    """
    scripts, found = sysconfig.get_path("scripts"), shutil.which("pip")
    if found is not None and Path(found).parent == Path(scripts):
        return "pip install"
    python = _quoted(sys.executable or "python")
    if find_spec("pip") is None and shutil.which("uv") is not None:
        return f"uv pip install --python {python}"
    return f"{python} -m pip install"


def _quoted(text: str) -> str:
    """Quote a word for the shell; cmd.exe knows double quotes alone."""
    return f'"{text}"' if os.name == "nt" else shlex.quote(text)
