"""Write files atomically: they appear whole or not at all."""

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
    """Make a temporary file that becomes target on success and is removed on any error.

    Temporary files of killed processes for the same target are removed too. A file that replaces
    another has its rights from the first byte on, so a private file stays private; a new file has
    the system's default rights.

    Args:
        target: the file to be written. An older file is replaced in one step; a link is replaced
            itself, not the file it points to.

    Yields:
        An empty file in the same folder, with target's suffix or the usual one of its format.

    Raises:
        OutputError: the folder is missing or not writable, or the disk is full.
    """
    start = f".clearzoom-{hashlib.sha256(os.fsencode(target.name)).hexdigest()[:12]}-"
    try:
        remove_dead(target.parent, start)
        older = _older(target)
        name = f"{start}{os.getpid()}-{secrets.token_hex(8)}{written_suffix(target)}"
        temporary = target.parent / name
        # The system applies the umask to these rights. The umask can only be read by setting it,
        # which would affect all threads.
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
        discard(temporary)


def discard(path: Path) -> None:
    """Delete a file that nobody needs, if it is there, and give its room back at once.

    A deleted file takes room for as long as anybody has it open, and libvips opens a file again.

    Args:
        path: a file; nobody may be reading it.
    """
    with suppress(OSError):
        os.truncate(path, 0)
    path.unlink(missing_ok=True)


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
    """Make a second temporary file with the rights of the first, and remove it at the end.

    Args:
        path: the temporary file, from ``whole_file``.
        suffix: the suffix of the second file.

    Raises:
        OSError: the file cannot be made.
    """
    beside = path.with_name(f"{path.stem}~{suffix}")
    os.close(new_file(beside, stat.S_IMODE(path.stat().st_mode)))
    try:
        yield beside
    finally:
        beside.unlink(missing_ok=True)


def new_file(path: Path, rights: int) -> int:
    """Create a file that does not exist, not even as a link, and return its descriptor.

    Args:
        path: the file.
        rights: its mode, to which the umask applies.

    Returns:
        A descriptor for reading and writing.

    Raises:
        OSError: the file exists, or cannot be created.
    """
    flags = os.O_RDWR | os.O_CREAT | os.O_EXCL
    for name in ("O_NOFOLLOW", "O_CLOEXEC", "O_BINARY"):
        flags |= getattr(os, name, 0)
    return os.open(path, flags, rights)


def _older(target: Path) -> os.stat_result | None:
    """Return the state of the file that will be replaced; links are followed."""
    try:
        state = target.stat()
    except OSError:
        return None
    return state if stat.S_ISREG(state.st_mode) else None


def _take_rights(file: Path, older: os.stat_result) -> None:
    """Copy owner, group and rights of another file, and never grant more."""
    rights = stat.S_IMODE(older.st_mode) & 0o777
    own = file.stat()
    if (own.st_uid, own.st_gid) != (older.st_uid, older.st_gid) and hasattr(os, "chown"):
        try:
            os.chown(file, older.st_uid, older.st_gid)
        except OSError:  # Only root changes owners, but a user may choose among its own groups.
            try:
                os.chown(file, -1, older.st_gid)
            except OSError:
                rights &= 0o707  # The file has another group, which must not get the rights.
    with suppress(OSError):  # Some file systems have no rights.
        file.chmod(rights)
