"""Files appear whole or not at all."""

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import NamedTemporaryFile

from clearzoom.io.failures import refused
from clearzoom.io.formats import written_suffix


@contextmanager
def whole_file(target: Path) -> Iterator[Path]:
    """Give a temporary path beside target; on success it becomes target, on any error it goes.

    What a process that was killed left of the same target goes too.

    Args:
        target: the file to be; an older one is replaced in one step, a link itself.

    Yields:
        An empty file in the same folder, with target's suffix, or the usual one of its format.

    Raises:
        OutputError: the folder is missing or cannot be written, the disk is full.
    """
    start = f".clearzoom-{hashlib.sha256(os.fsencode(target.name)).hexdigest()[:12]}-"
    try:
        _sweep(target.parent, start)
        suffix = written_suffix(target)
        with NamedTemporaryFile(
            dir=target.parent, prefix=f"{start}{os.getpid()}-", suffix=suffix, delete=False
        ) as file:
            temporary = Path(file.name)
    except OSError as error:
        raise refused(target, error) from error
    try:
        yield temporary
        temporary.chmod(0o666 & ~_umask())
        with temporary.open("rb") as file:
            os.fsync(file.fileno())
        temporary.replace(target)
    except OSError as error:
        raise refused(target, error) from error
    finally:
        temporary.unlink(missing_ok=True)


def _sweep(folder: Path, start: str) -> None:
    for entry in os.scandir(folder):
        if entry.name.startswith(start):
            process = entry.name.removeprefix(start).partition("-")[0]
            if process.isdecimal() and not lives(int(process)):
                with suppress(OSError):
                    Path(entry.path).unlink()


def lives(process: int) -> bool:
    """Say whether a process of this machine is there, as far as one can ask."""
    if os.name == "nt":  # there the question would end it
        return True
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
