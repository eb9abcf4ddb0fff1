"""Complete the extras of pyproject.toml: which clearzoom-web and clearzoom-torch they bring.

The extras of a release ask an index for the data packages of the same version. Those of a checkout
name its own folders, so that ``pip install '.[serve]'`` there needs nothing that was published.
"""

import os
import subprocess
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from hatchling.metadata.plugin.interface import MetadataHookInterface

RELEASING = "CLEARZOOM_RELEASING"
"""Variable that ``make dist`` sets. Source distributions state the extras that were made so."""


class Extras(MetadataHookInterface):
    """The extras, as the table ``extras`` of this hook states them."""

    def update(self, metadata: dict[str, Any]) -> None:
        """Add the extras to the table [project].

        Args:
            metadata: the table, with the version that is being built.
        """
        metadata["optional-dependencies"] = {
            extra: [self._completed(each, metadata["version"]) for each in requirements]
            for extra, requirements in self.config["extras"].items()
        }

    def _completed(self, requirement: str, version: str) -> str:
        folder = Path(self.root) / "packages" / requirement
        if not folder.is_dir():
            return requirement
        if os.environ.get(RELEASING):
            return f"{requirement}=={version}"
        return f"{requirement} @ {self._cloned(folder) or folder.as_uri()}"

    def _cloned(self, folder: Path) -> str | None:
        """Give the address of a folder in a repository that pip cloned for this build.

        pip keeps what it builds of a commit, but not its clone, whose folder is gone next time.
        """
        if not any(part.startswith("pip-") for part in folder.parts):
            return None
        remote, commit = self._git("remote", "get-url", "origin"), self._git("rev-parse", "HEAD")
        if remote is None or commit is None:
            return None
        parts = urlsplit(remote)
        if parts.password or (parts.username and parts.scheme in ("http", "https")):
            return None  # everyone can read what a package asks for
        return f"git+{remote}@{commit}#subdirectory={folder.relative_to(self.root).as_posix()}"

    def _git(self, *arguments: str) -> str | None:
        try:
            program = ["git", "-C", self.root, *arguments]
            done = subprocess.run(program, capture_output=True, text=True, check=True)
        except (OSError, subprocess.CalledProcessError):
            return None
        return done.stdout.strip()
