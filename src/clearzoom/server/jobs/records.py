"""A job's folder: what is wanted, how far it is, and its result, for every process to read."""

import os
import re
import shutil
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import IO, Literal

from pydantic import BaseModel, Field

from clearzoom.pipeline.request import EnlargeRequest
from clearzoom.server.error_answers import Failure

try:
    import fcntl
except ImportError:  # Windows: that a job's process is gone is not seen there
    fcntl = None  # type: ignore[assignment]

State = Literal["waiting", "running", "done", "failed", "cancelled"]
ENDED = ("done", "failed", "cancelled")
IDENTIFIER = re.compile(r"[0-9a-f]{32}")

_STATE, _HELD, _CANCEL = "state.json", "held", "cancel"


class Record(BaseModel):
    """What is known of a job. Its folder's name is its identifier.

    ``awaited``: a request waits for the result; without it the job is for nobody.
    ``attempts``: processes that began it. ``status``: of an answer with ``error``.
    """

    client: str
    made_s: float
    awaited: bool
    state: Literal["receiving"] | State = "receiving"
    ended_s: float | None = None
    attempts: int = 1
    request: EnlargeRequest = Field(default_factory=EnlargeRequest)
    source: Path | None = None
    source_name: str = ""
    most_pixels: int = 0
    suffix: str = ""
    name: str = ""
    width: int = 0
    height: int = 0
    done: int = 0
    total: int = 0
    bytes: int | None = None
    notes: list[str] = []
    error: Failure | None = None
    status: int = 200
    pixels: str = ""
    model: str | None = None

    @property
    def is_active(self) -> bool:
        """Whether something still has to be done."""
        return self.state not in ENDED


class JobFolder:
    """The files of one job. One process holds it, which alone writes its state."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.identifier = path.name
        self.input = path / "input"

    def result(self, suffix: str) -> Path:
        """Name the file that the result becomes."""
        return self.path / f"result{suffix}"

    def read(self) -> Record | None:
        """Give what is known, or None where the job is gone."""
        try:
            return Record.model_validate_json((self.path / _STATE).read_bytes())
        except (OSError, ValueError):
            return None

    def write(self, record: Record) -> None:
        """Tell all processes; nobody sees half of it."""
        temporary = self.path / f"{_STATE}.{threading.get_ident()}"
        temporary.write_text(record.model_dump_json(), "utf-8")
        temporary.replace(self.path / _STATE)

    def ask_to_cancel(self) -> None:
        """Leave word for the process that holds it."""
        with suppress(OSError):
            (self.path / _CANCEL).touch()

    @property
    def is_asked_to_cancel(self) -> bool:
        """Whether some process left that word."""
        return (self.path / _CANCEL).exists()

    def hold(self, *, new: bool) -> IO[bytes] | None:
        """Hold the job until the file that is given is closed, or this process dies.

        Args:
            new: nobody but this process knows it yet.

        Returns:
            None where another holds it, or it is gone.
        """
        try:
            file = (self.path / _HELD).open("ab" if new else "r+b")
        except OSError:
            return None
        if fcntl is not None:
            with suppress(OSError):
                fcntl.flock(file, fcntl.LOCK_EX | (0 if new else fcntl.LOCK_NB))
                return file
        elif new:
            return file
        file.close()
        return None

    def keep_result_only(self, suffix: str) -> None:
        """Take away what only the work needed."""
        with suppress(OSError):
            for entry in self.path.iterdir():
                if entry.name in (_STATE, _HELD, f"result{suffix}"):
                    continue
                if entry.is_dir():
                    shutil.rmtree(entry, ignore_errors=True)
                else:
                    entry.unlink(missing_ok=True)

    def remove(self) -> None:
        """Take all of it away."""
        shutil.rmtree(self.path, ignore_errors=True)


def job_folders(root: Path) -> Iterator[JobFolder]:
    """List all jobs of all processes."""
    with suppress(OSError):
        for entry in os.scandir(root):
            if IDENTIFIER.fullmatch(entry.name):
                yield JobFolder(root / entry.name)
