"""The scratch folder of a job, from which a killed job continues."""

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

from clearzoom.errors import CancelledError, OutputError
from clearzoom.io.picture import Samples
from clearzoom.io.raw_tiff import header, map_picture, picture_bytes

try:
    import fcntl
except ImportError:  # Windows: two equal jobs at the same time are not detected there.
    fcntl = None  # type: ignore[assignment]

_JOURNAL = "journal"

_PRIVATE = 0o700
_CHECKSUM_DIGITS = 10


class Scratch:
    """A folder beside the result with pictures as raw files, and a journal of finished parts.

    Only this user may enter the folder, and no link in it is followed. Otherwise, in a folder that
    others may write to, they could let this program overwrite files of this user.

    A part is finished when the journal has a line with the checksum of its px. Px that were lost in
    a power failure do not match their checksum and are computed again.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._journal = _own_journal(folder)
        self._journal.seek(0)
        lines = self._journal.read().decode(errors="replace").split("\n")
        if lines[-1]:  # The process was killed while it wrote the line.
            self._journal.write(b"\n")
        self._checksums: dict[str, int] = {}
        for line in lines:
            name, _, checksum = line.rpartition(" ")
            if checksum.isdecimal() and len(checksum) <= _CHECKSUM_DIGITS:
                self._checksums[name] = int(checksum)

    def picture(
        self, name: str, shape: tuple[int, int, int], dtype: npt.DTypeLike, *, cmyk: bool
    ) -> Samples:
        """Map a picture in a file of this folder, with the px of an earlier run or empty.

        Args:
            name: the name of the picture, without a suffix.
            shape: height, width and channels.
            dtype: uint8 or uint16.
            cmyk: whether the first four channels are CMYK.

        Raises:
            OutputError: the disk is full.
        """
        return reserved_picture(self.folder / f"{name}.tif", shape, dtype, cmyk=cmyk)

    def has(self, part: str, pixels: Samples) -> bool:
        """Tell whether a part was finished and its px match their checksum."""
        return part in self._checksums and self._checksums[part] == _checksum(pixels)

    def finished(self, part: str, pixels: Samples) -> None:
        """Record a part as finished."""
        self._journal.write(f"{part} {_checksum(pixels)}\n".encode())
        self._journal.flush()

    def close(self) -> None:
        """Close the journal; the folder stays, so that the job can continue."""
        self._journal.close()

    def remove(self) -> None:
        """Remove the folder; the journal goes last, since its lock keeps other processes out."""
        if fcntl is None:  # Windows does not remove open files.
            self._journal.close()
        with suppress(OSError):
            for entry in self.folder.iterdir():
                if entry.name != _JOURNAL:
                    entry.unlink()
            (self.folder / _JOURNAL).unlink()
            self.folder.rmdir()
        self._journal.close()


def _own_journal(folder: Path) -> IO[bytes]:
    """Open and lock the journal of a folder.

    Raises:
        BlockingIOError: another process has locked it.
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
        except FileNotFoundError:  # Another process has just removed the folder.
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
        journal.close()  # Another process removed the file before it was locked here.


def _check_is_ours(folder: Path) -> None:
    """Refuse a link, a file, or a folder of another user in the place of the scratch folder.

    Raises:
        FileNotFoundError: the folder does not exist.
        FileExistsError: it is no folder, or another user's.
    """
    state = folder.lstat()
    # File systems without owners state that of the parent folder for all files.
    ours = not hasattr(os, "getuid") or state.st_uid in (os.getuid(), folder.parent.stat().st_uid)
    if not stat.S_ISDIR(state.st_mode) or not ours:
        raise FileExistsError(EEXIST, f"{folder} is not of this program; remove it")


def _opened(path: Path) -> IO[bytes]:
    """Open a file for reading and appending, and create it if it does not exist.

    Raises:
        FileNotFoundError: its folder does not exist.
        FileExistsError: it is a link or no regular file.
    """
    flags = os.O_RDWR | os.O_APPEND | os.O_CREAT
    for name in ("O_NOFOLLOW", "O_NONBLOCK", "O_CLOEXEC", "O_BINARY"):  # A pipe must not block.
        flags |= getattr(os, name, 0)
    try:
        descriptor = os.open(path, flags, 0o600)
    except OSError as error:
        if error.errno in (ELOOP, ENXIO, EISDIR):
            raise _no_file(path) from error
        raise
    state = os.fstat(descriptor)
    # A hard link is as dangerous as a symbolic one.
    if not stat.S_ISREG(state.st_mode) or state.st_nlink > 1:
        os.close(descriptor)
        raise _no_file(path)
    return os.fdopen(descriptor, "a+b")


def _no_file(path: Path) -> FileExistsError:
    return FileExistsError(EEXIST, f"{path} is a link or no file; remove it")


def reserved_picture(
    path: Path, shape: tuple[int, int, int], dtype: npt.DTypeLike, *, cmyk: bool
) -> Samples:
    """Map a picture in a file of its full size; one of that size keeps its px.

    Args:
        path: the file.
        shape: height, width and channels.
        dtype: uint8 or uint16.
        cmyk: whether the first four channels are CMYK.

    Raises:
        OutputError: the disk is full.
    """
    head_bytes = len(header(shape, dtype, cmyk=cmyk))
    reserve(path, head_bytes + picture_bytes(shape, dtype))
    return map_picture(path, shape, dtype, cmyk=cmyk)


def reserve(path: Path, size_bytes: int) -> None:
    """Create a file of a size, or leave a file of that size as it is.

    Args:
        path: the file.
        size_bytes: its size.

    Raises:
        OutputError: the disk is full.
    """
    try:
        with _opened(path) as file:
            if file.seek(0, os.SEEK_END) != size_bytes:
                file.truncate(0)
                # Writing to a memory map on a full disk would kill the process (SIGBUS).
                if hasattr(os, "posix_fallocate"):
                    os.posix_fallocate(file.fileno(), 0, size_bytes)
                else:
                    file.truncate(size_bytes)
    except OSError as error:
        raise OutputError(f"cannot make room in {path.parent}: {error.strerror}") from error


def _checksum(pixels: Samples) -> int:
    return zlib.crc32(np.ascontiguousarray(pixels).data)


def release(*pictures: Samples) -> None:
    """Release the memory of mapped pictures; the system caches their files as it can.

    Args:
        pictures: samples; those that are not mapped stay as they are.
    """
    for picture in pictures:
        if isinstance(picture, np.memmap) and hasattr(picture._mmap, "madvise"):  # type: ignore[attr-defined]
            import mmap

            picture._mmap.madvise(mmap.MADV_DONTNEED)  # type: ignore[attr-defined]


@contextmanager
def scratch(beside: Path, key: str) -> Iterator[Scratch]:
    """Open the scratch folder of a job; it is removed at the end unless the job is interrupted.

    Args:
        beside: the result, in whose folder it is made.
        key: hex digits that are equal for equal jobs.

    Raises:
        OutputError: the folder cannot be made, or another process runs the same job.
    """
    folder = beside.parent / f".clearzoom-{key}"
    try:
        opened = Scratch(folder)
    except BlockingIOError as error:
        raise OutputError(f"another process is writing {beside}; wait for it") from error
    except OSError as error:
        raise OutputError(f"cannot write {beside}: {error.strerror}") from error
    try:
        yield opened
    except (KeyboardInterrupt, CancelledError):
        opened.close()
        raise
    except BaseException:
        opened.remove()
        raise
    opened.remove()
