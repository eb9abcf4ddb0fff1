"""Files appear whole or not at all."""

import hashlib
import os
import secrets
import shutil
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from clearzoom.io.formats import written_suffix
from clearzoom.io.libvips_errors import refused


@contextmanager
def whole_file(target: Path) -> Iterator[Path]:
    """Give a temporary path beside target; on success it becomes target, on any error it goes.

    What a process that was killed left of the same target goes too. A file that replaces another
    has its rights, from the first byte on: what was private stays so. A new one has those that the
    system gives new files.

    Args:
        target: the file to be; an older one is replaced in one step, a link itself.

    Yields:
        An empty file in the same folder, with target's suffix, or the usual one of its format.

    Raises:
        OutputError: the folder is missing or cannot be written, the disk is full.
    """
    start = f".clearzoom-{hashlib.sha256(os.fsencode(target.name)).hexdigest()[:12]}-"
    try:
        remove_dead(target.parent, start)
        older = _older(target)
        name = f"{start}{os.getpid()}-{secrets.token_hex(8)}{written_suffix(target)}"
        temporary = target.parent / name
        # With the rights of new files in the call, nobody need know the umask, which one can only
        # learn by setting it, for all threads.
        os.close(new_file(temporary, 0o666 if older is None else 0o600))
    except OSError as error:
        raise refused(target, error) from error
    try:
        yield temporary
        with temporary.open("rb") as file:
            os.fsync(file.fileno())
        if older is not None:
            _take_rights(temporary, older)
        temporary.replace(target)
    except OSError as error:
        raise refused(target, error) from error
    finally:
        temporary.unlink(missing_ok=True)


def remove_dead(folder: Path, start: str) -> None:
    """Remove the temporary files and folders of processes that were killed.

    Args:
        folder: is searched, but not what lies below it.
        start: how their names begin, before the number of the process and a hyphen.

    Raises:
        OSError: folder cannot be listed. What cannot be removed stays.
    """
    for entry in os.scandir(folder):
        if entry.name.startswith(start):
            process = entry.name.removeprefix(start).partition("-")[0]
            if process.isdecimal() and not _lives(int(process)):
                if entry.is_dir(follow_symlinks=False):
                    shutil.rmtree(entry.path, ignore_errors=True)
                else:
                    with suppress(OSError):
                        Path(entry.path).unlink()


def _lives(process: int) -> bool:
    """Say whether a process of this machine is there, as far as one can ask."""
    if os.name == "nt":  # there the question would end it
        return True
    try:
        os.kill(process, 0)
    except (ProcessLookupError, OverflowError):  # a number that none has: somebody made that name
        return False
    except OSError:
        return True
    return True


@contextmanager
def file_beside(path: Path, suffix: str) -> Iterator[Path]:
    """Give a file for a while, with the rights of a temporary one that is there.

    Args:
        path: from ``whole_file``.
        suffix: of the other file's name.

    Raises:
        OSError: it cannot be made.
    """
    beside = path.with_name(f"{path.stem}~{suffix}")
    os.close(new_file(beside, stat.S_IMODE(path.stat().st_mode)))
    try:
        yield beside
    finally:
        beside.unlink(missing_ok=True)


def new_file(path: Path, rights: int) -> int:
    """Make a file that was not there, not even as a link; gives its descriptor, for both ways.

    Raises:
        OSError: there is something, or none can be made there.
    """
    flags = os.O_RDWR | os.O_CREAT | os.O_EXCL
    for name in ("O_NOFOLLOW", "O_CLOEXEC", "O_BINARY"):
        flags |= getattr(os, name, 0)
    return os.open(path, flags, rights)


def _older(target: Path) -> os.stat_result | None:
    """Look at the file that will be replaced; of a link, at what it leads to."""
    try:
        found = target.stat()
    except OSError:
        return None
    return found if stat.S_ISREG(found.st_mode) else None


def _take_rights(file: Path, older: os.stat_result) -> None:
    """Give a file owner, group and rights of another, never more than that had."""
    rights = stat.S_IMODE(older.st_mode) & 0o777
    own = file.stat()
    if (own.st_uid, own.st_gid) != (older.st_uid, older.st_gid) and hasattr(os, "chown"):
        try:
            os.chown(file, older.st_uid, older.st_gid)
        except OSError:  # only root gives files away; but a group that one is in can be kept
            try:
                os.chown(file, -1, older.st_gid)
            except OSError:
                rights &= 0o707  # the group would be another one
    with suppress(OSError):  # some file systems have no rights
        file.chmod(rights)
