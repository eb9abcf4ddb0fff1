"""What to say when a picture could not be read or written.

libvips keeps one buffer of error text for all threads: another thread may have taken the text, or
left its own in it. So where the disk can be asked, it is.
"""

import errno
import os
import re
import tempfile
from pathlib import Path

import pyvips

from clearzoom.errors import ClearzoomError, OutputError, UnreadablePictureError

VIPS_ERRORS = (pyvips.Error, UnicodeDecodeError)
"""What libvips' faults are raised as: the second where its text quotes bytes of a damaged file."""

_FULL = "No space left on device"
_SPOOL = re.compile(r'unable to write to "([^"]*)[/\\]vips-\d+-\d+\.v"')
_NO_REASONS = ("unable to call", "Unknown error")
_UNSUPPORTED = re.compile(
    r"not (?:supported|implemented)|unsupported (?:feature|codec|bmp)|unknown (?:pixel|data) mode",
    re.IGNORECASE,
)
_PROBE_BYTES = 2**20


def unreadable(path: Path, error: Exception) -> ClearzoomError:
    """Tell a damaged picture from one that libvips found no temporary room for.

    Args:
        path: of the picture.
        error: of libvips.
    """
    text = said_by(error)
    spool = _SPOOL.search(text)
    if spool or _FULL in text:
        folder = spool[1] if spool else os.environ.get("TMPDIR") or tempfile.gettempdir()
        return OutputError(
            f"cannot decode {path}: no room for it in the folder {folder} for temporary files; "
            "make room, or set TMPDIR to another folder"
        )
    return damaged(path, reason_of(error))


def damaged(path: Path | str, reason: str) -> UnreadablePictureError:
    """Say that a picture is damaged, or of a form that its decoder says it does not know.

    Args:
        path: of the picture.
        reason: what the decoder said.
    """
    reason = " ".join(reason.split()).rstrip(".") or "its decoder gave no reason"
    if _UNSUPPORTED.search(reason):
        return unsupported(path, reason)
    return UnreadablePictureError(
        f"{path} is truncated or damaged: {reason}; get a whole copy of it"
    )


def unsupported(path: Path | str, form: str) -> UnreadablePictureError:
    """Say that a picture is whole, and of a form that is not read.

    Args:
        path: of the picture.
        form: what about it is not read.
    """
    return UnreadablePictureError(
        f"{path} is of a form that is not supported: {form}; save it as a usual PNG, TIFF or JPEG"
    )


def unwritable(target: Path, temporary: Path, error: Exception) -> OutputError:
    """Say why an encoder failed.

    Args:
        target: the file that should have come to be.
        temporary: what there is of it; is spoilt by asking the disk.
        error: of the encoder.
    """
    try:
        with temporary.open("ab") as file:
            file.write(bytes(_PROBE_BYTES))
            file.flush()
            os.fsync(file.fileno())
    except OSError as refusal:
        return refused(target, refusal)
    if _FULL in said_by(error):
        return refused(target, OSError(errno.ENOSPC, _FULL))
    reason = reason_of(error).replace(str(temporary), "").strip(" :")
    return OutputError(f"cannot write {target}: {reason}")


def is_full(error: OSError) -> bool:
    """Tell a full disk, or a used up quota, from other failures."""
    return error.errno in (errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC))


def refused(target: Path, error: OSError) -> OutputError:
    """Say what the system said of a file, and what to do where the disk is full.

    Args:
        target: the file that should have come to be.
        error: of the system.
    """
    if is_full(error):
        return OutputError(
            f"cannot write {target}: the disk of {target.parent.resolve()} is full; "
            "make room on it, or name a folder on another disk"
        )
    return OutputError(f"cannot write {target}: {error.strerror or error}")


def said_by(error: Exception) -> str:
    """Give libvips' text, whatever bytes are in it.

    Args:
        error: of libvips.
    """
    if not isinstance(error, UnicodeDecodeError):
        return str(error)
    pyvips.vips_lib.vips_error_clear()  # pyvips did not come to it, and would stumble again
    text = error.object.decode("utf-8", "replace")
    return "".join(each if each.isprintable() or each == "\n" else "?" for each in text)


def reason_of(error: Exception) -> str:
    """Give the last line with a reason that libvips said."""
    lines = (line.strip() for line in said_by(error).splitlines())
    # pyvips begins with the operation's name; libvips ends with a number that it has no word for.
    telling = [line for line in lines if line and not any(word in line for word in _NO_REASONS)]
    return telling[-1] if telling else "libvips gave no reason"
