"""The folder of a job: its request, its progress and its result, for every process to read."""

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
except ImportError:  # Windows: there nobody notices that a job's process died
    fcntl = None  # type: ignore[assignment]

State = Literal["waiting", "running", "done", "failed", "cancelled"]
ENDED = ("done", "failed", "cancelled")
IDENTIFIER = re.compile(r"[0-9a-f]{32}")

_STATE, _HELD, _CANCEL = "state.json", "held", "cancel"


class Record(BaseModel):
    """The state of a job, as every process reads it. The folder's name is its identifier.

    Attributes:
        client: address of the client that the job counts for.
        awaited: whether a request waits for the result; the job ends with that request.
        attempts: number of processes that began the job.
        most_pixels: bound of the source, px of all frames.
        done: tiles that are done.
        total: tiles in all.
        status: HTTP status of the answer with ``error``.
        pixels: what the pixels of the result are.
        model: the networks, with their hashes; None where nothing is inferred.
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
        """Whether the job has not ended yet."""
        return self.state not in ENDED


class JobFolder:
    """The files of one job. The process that holds the job is the only one to write its state."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.identifier = path.name
        self.input = path / "input"

    def result(self, suffix: str) -> Path:
        """Return the path of the result."""
        return self.path / f"result{suffix}"

    def read(self) -> Record | None:
        """Return the state, or None where the job is gone."""
        try:
            return Record.model_validate_json((self.path / _STATE).read_bytes())
        except (OSError, ValueError):
            return None

    def write(self, record: Record) -> None:
        """Write the state, whole or not at all."""
        temporary = self.path / f"{_STATE}.{threading.get_ident()}"
        temporary.write_text(record.model_dump_json(), "utf-8")
        temporary.replace(self.path / _STATE)

    def request_cancel(self) -> None:
        """Leave a file that makes the process that holds the job cancel it."""
        with suppress(OSError):
            (self.path / _CANCEL).touch()

    @property
    def is_cancel_requested(self) -> bool:
        """Whether some process requested that the job be cancelled."""
        return (self.path / _CANCEL).exists()

    def hold(self, *, new: bool) -> IO[bytes] | None:
        """Hold the job until the returned file is closed, or this process dies.

        Args:
            new: whether this process has just made the folder.

        Returns:
            The file; None where another process holds the job, or it is gone.
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
        """Delete everything but the state and the result."""
        with suppress(OSError):
            for entry in self.path.iterdir():
                if entry.name in (_STATE, _HELD, f"result{suffix}"):
                    continue
                if entry.is_dir():
                    shutil.rmtree(entry, ignore_errors=True)
                else:
                    entry.unlink(missing_ok=True)

    def remove(self) -> None:
        """Delete the job."""
        shutil.rmtree(self.path, ignore_errors=True)


def job_folders(root: Path) -> Iterator[JobFolder]:
    """List the jobs of all processes."""
    with suppress(OSError):
        for entry in os.scandir(root):
            if IDENTIFIER.fullmatch(entry.name):
                yield JobFolder(root / entry.name)
