"""Where a run comes from: the code's commit and the weights that it started from."""

import hashlib
import subprocess
from pathlib import Path

from clearzoom import __version__


def code_words() -> str:
    """Name the code: its version, and the commit where it lies in a repository.

    Example: "0.1.0, commit 2b43639".
    """
    here = Path(__file__).parent
    try:
        asked = subprocess.run(
            ["git", "-C", here, "describe", "--always", "--dirty", "--exclude", "*"],
            capture_output=True,
            text=True,
            check=False,
        )
    except OSError:  # no git
        return __version__
    commit = asked.stdout.strip()
    return f"{__version__}, commit {commit}" if asked.returncode == 0 and commit else __version__


def weights_words(path: Path) -> str:
    """Name a weights file: "fast-x4.safetensors, sha256 0123..."."""
    return f"{path.name}, sha256 {hashlib.sha256(path.read_bytes()).hexdigest()}"
