"""Files appear whole or not at all."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import NamedTemporaryFile

from clearzoom.errors import OutputError


@contextmanager
def whole_file(target: Path) -> Iterator[Path]:
    """Give a temporary path beside target; on success it becomes target, on any error it goes.

    Args:
        target: the file to be; an older one is replaced in one step.

    Yields:
        An empty file in the same folder, with target's suffix.

    Raises:
        OutputError: the folder is missing or cannot be written, the disk is full.
    """
    try:
        with NamedTemporaryFile(
            dir=target.parent, prefix=".clearzoom-", suffix=target.suffix, delete=False
        ) as file:
            temporary = Path(file.name)
    except OSError as error:
        raise OutputError(f"cannot write {target}: {error.strerror}") from error
    try:
        yield temporary
        temporary.chmod(0o666 & ~_umask())
        with temporary.open("rb") as file:
            os.fsync(file.fileno())
        temporary.replace(target)
    except OSError as error:
        raise OutputError(f"cannot write {target}: {error.strerror}") from error
    finally:
        temporary.unlink(missing_ok=True)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
