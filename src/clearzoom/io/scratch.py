"""Where a job keeps what it has done, so that a job that died goes on."""

import os
import stat
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from errno import EEXIST, EISDIR, ELOOP, ENXIO
from pathlib import Path
from typing import IO

import numpy as np
import numpy.typing as npt

from clearzoom.errors import OutputError
from clearzoom.io.picture import Samples
from clearzoom.io.raw_tiff import header, map_picture, picture_bytes

try:
    import fcntl
except ImportError:  # Windows: two equal jobs at once are not told apart there
    fcntl = None  # type: ignore[assignment]

_JOURNAL = "journal"

_PRIVATE = 0o700
_CHECKSUM_DIGITS = 10


class Scratch:
    """A folder beside the result: pictures as raw files, and a journal of finished parts.

    The folder is this user's alone, and no link in it is followed: beside a result in a folder that
    others may write to, they could otherwise have files of this user written over.

    A part is finished when its line, with the checksum of its px, is in the journal. What the
    system lost in a power failure does not match its checksum and is made again.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._journal = _own_journal(folder)
        self._journal.seek(0)
        lines = self._journal.read().decode(errors="replace").split("\n")
        if lines[-1]:  # cut by the death of the process
            self._journal.write(b"\n")
        self._found: dict[str, int] = {}
        for line in lines:
            name, _, checksum = line.rpartition(" ")
            if checksum.isdecimal() and len(checksum) <= _CHECKSUM_DIGITS:
                self._found[name] = int(checksum)

    def picture(
        self, name: str, shape: tuple[int, int, int], dtype: npt.DTypeLike, *, cmyk: bool
    ) -> Samples:
        """Give a picture in a file of this folder, as it was left, or empty.

        Raises:
            OutputError: the disk is full.
        """
        path = self.folder / f"{name}.tif"
        head_bytes = len(header(shape, dtype, cmyk=cmyk))
        reserve(path, head_bytes + picture_bytes(shape, dtype))
        return map_picture(path, shape, dtype, cmyk=cmyk)

    def has(self, part: str, pixels: Samples) -> bool:
        """Whether a part was finished and still is what it was."""
        return part in self._found and self._found[part] == _checksum(pixels)

    def finished(self, part: str, pixels: Samples) -> None:
        """Note a part as finished."""
        self._journal.write(f"{part} {_checksum(pixels)}\n".encode())
        self._journal.flush()

    def close(self) -> None:
        """Let go of the journal; the folder stays, to go on from."""
        self._journal.close()

    def remove(self) -> None:
        """Take the folder away, the journal last: until then no other process starts in it."""
        if fcntl is None:  # Windows removes no open file
            self._journal.close()
        with suppress(OSError):
            for entry in self.folder.iterdir():
                if entry.name != _JOURNAL:
                    entry.unlink()
            (self.folder / _JOURNAL).unlink()
            self.folder.rmdir()
        self._journal.close()


def _own_journal(folder: Path) -> IO[bytes]:
    """Open the journal of a folder that no other process works in.

    Raises:
        BlockingIOError: one does.
    """
    while True:
        made = True
        try:
            folder.mkdir(_PRIVATE)
        except FileExistsError:
            made = False
        try:
            if not made:
                _check_is_ours(folder)
            journal = _opened(folder / _JOURNAL)
        except FileNotFoundError:  # the other process has just removed the folder
            continue
        try:
            if fcntl is None:
                return journal
            fcntl.flock(journal, fcntl.LOCK_EX | fcntl.LOCK_NB)
            with suppress(FileNotFoundError):
                if (folder / _JOURNAL).stat().st_ino == os.fstat(journal.fileno()).st_ino:
                    return journal
        except BaseException:
            journal.close()
            raise
        journal.close()  # it was removed before it was locked


def _check_is_ours(folder: Path) -> None:
    """Refuse what another user, or a link, has put where the folder of this job goes.

    Raises:
        FileNotFoundError: there is nothing.
        FileExistsError: it is no folder, or another user's.
    """
    found = folder.lstat()
    # Where files have no owners, all have the one of the folder around.
    ours = not hasattr(os, "getuid") or found.st_uid in (os.getuid(), folder.parent.stat().st_uid)
    if not stat.S_ISDIR(found.st_mode) or not ours:
        raise FileExistsError(EEXIST, f"{folder} is not of this program; take it away")


def _opened(path: Path) -> IO[bytes]:
    """Open a file for reading and writing at its end; it is made, or was made here.

    Raises:
        FileNotFoundError: its folder is not there.
        FileExistsError: it is a link, or no file.
    """
    flags = os.O_RDWR | os.O_APPEND | os.O_CREAT
    for name in ("O_NOFOLLOW", "O_NONBLOCK", "O_CLOEXEC", "O_BINARY"):  # a pipe must not block
        flags |= getattr(os, name, 0)
    try:
        descriptor = os.open(path, flags, 0o600)
    except OSError as error:
        if error.errno in (ELOOP, ENXIO, EISDIR):
            raise _no_file(path) from error
        raise
    found = os.fstat(descriptor)
    # A second name of a file is as good as a link to it.
    if not stat.S_ISREG(found.st_mode) or found.st_nlink > 1:
        os.close(descriptor)
        raise _no_file(path)
    return os.fdopen(descriptor, "a+b")


def _no_file(path: Path) -> FileExistsError:
    return FileExistsError(EEXIST, f"{path} is a link or no file; take it away")


def reserve(path: Path, size_bytes: int) -> None:
    """Make a file of a size, or leave one of that size as it is.

    Raises:
        OutputError: the disk is full.
    """
    try:
        with _opened(path) as file:
            if file.seek(0, os.SEEK_END) != size_bytes:
                file.truncate(0)
                # A write into a map of a full disk would kill the process.
                if hasattr(os, "posix_fallocate"):
                    os.posix_fallocate(file.fileno(), 0, size_bytes)
                else:
                    file.truncate(size_bytes)
    except OSError as error:
        raise OutputError(f"cannot make room in {path.parent}: {error.strerror}") from error


def _checksum(pixels: Samples) -> int:
    return zlib.crc32(np.ascontiguousarray(pixels).data)


def release(*pictures: Samples) -> None:
    """Take pictures in files out of this process's memory; the system keeps what it can."""
    for picture in pictures:
        if isinstance(picture, np.memmap) and hasattr(picture._mmap, "madvise"):  # type: ignore[attr-defined]
            import mmap

            picture._mmap.madvise(mmap.MADV_DONTNEED)  # type: ignore[attr-defined]


@contextmanager
def scratch(beside: Path, key: str) -> Iterator[Scratch]:
    """Open the scratch folder of a job; it goes when the job ends, unless the job was broken off.

    Args:
        beside: the result.
        key: equal for equal jobs: hex digits.

    Raises:
        OutputError: the folder cannot be made, or another process is at the same job.
    """
    folder = beside.parent / f".clearzoom-{key}"
    try:
        opened = Scratch(folder)
    except BlockingIOError as error:
        raise OutputError(f"another process makes {beside} now; wait for it") from error
    except OSError as error:
        raise OutputError(f"cannot write {beside}: {error.strerror}") from error
    try:
        yield opened
    except KeyboardInterrupt:
        opened.close()
        raise
    except BaseException:
        opened.remove()
        raise
    opened.remove()
