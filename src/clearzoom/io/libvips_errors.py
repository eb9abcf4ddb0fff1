"""Convert failures of libvips and of the system into errors with a remedy.

libvips has one buffer of error text for all threads, so another thread may have taken the text or
added its own. Where a test of the disk can find the cause, it decides instead. libvips has no
numbers for its faults, so its text is all that tells them apart.
"""

import errno
import os
import re
import tempfile
from contextlib import suppress
from pathlib import Path

from clearzoom.errors import ClearzoomError, FullDiskError, OutputError, UnreadablePictureError

VIPS_ERRORS: tuple[type[Exception], type[Exception]] = (ImportError, UnicodeDecodeError)
with suppress(ImportError, OSError):  # where libvips is broken, ``clearzoom doctor`` still starts
    import pyvips

    VIPS_ERRORS = (pyvips.Error, UnicodeDecodeError)
"""The exceptions of pyvips; decoding the error text fails if it quotes bytes of a damaged file."""

_FULL = "No space left on device"
_SPOOL = re.compile(r'unable to write to "([^"]*)[/\\]vips-\d+-\d+\.v"')
_NO_REASONS = ("unable to call", "Unknown error", "unable to fetch from region")
_UNSUPPORTED = re.compile(
    r"not (?:supported|implemented)|unsupported (?:feature|codec|bmp)|unknown (?:pixel|data) mode",
    re.IGNORECASE,
)
_PROBE_BYTES = 2**20


def unreadable(path: Path, error: Exception) -> ClearzoomError:
    """Build the error for a picture that is damaged, or that found no temporary disk space.

    Args:
        path: the picture file.
        error: libvips' error.
    """
    text = text_of(error)
    spool = _SPOOL.search(text)
    if spool or _FULL in text:
        folder = spool[1] if spool else os.environ.get("TMPDIR") or tempfile.gettempdir()
        return FullDiskError(
            f"cannot decode {path}: no room for it in the folder {folder} for temporary files; "
            "make room, or set TMPDIR to another folder"
        )
    return damaged(path, reason_of(error))


def damaged(path: Path | str, reason: str) -> UnreadablePictureError:
    """Build the error for a picture that is damaged, or has a form that its decoder does not know.

    Args:
        path: the picture file.
        reason: the decoder's message.
    """
    reason = " ".join(reason.split()).rstrip(".") or "its decoder gave no reason"
    if _UNSUPPORTED.search(reason):
        return unsupported(path, reason)
    return UnreadablePictureError(
        f"{path} is truncated or damaged: {reason}; get a whole copy of it"
    )


def unsupported(path: Path | str, form: str) -> UnreadablePictureError:
    """Build the error for a picture that is sound, but has an unsupported form.

    Args:
        path: the picture file.
        form: the unsupported form.
    """
    return UnreadablePictureError(
        f"{path} is of a form that is not supported: {form}; save it as a usual PNG, TIFF or JPEG"
    )


def unwritable(target: Path, temporary: Path, error: Exception) -> OutputError:
    """Build the error for a picture that an encoder could not write.

    Args:
        target: the file to be written.
        temporary: the incomplete file; a test of the disk appends to it.
        error: the encoder's error.
    """
    try:
        with temporary.open("ab") as file:
            file.write(bytes(_PROBE_BYTES))
            file.flush()
            os.fsync(file.fileno())
    except OSError as refusal:
        return refused(target, refusal)
    if _FULL in text_of(error):
        return refused(target, OSError(errno.ENOSPC, _FULL))
    reason = reason_of(error).replace(str(temporary), "").strip(" :")
    return OutputError(f"cannot write {target}: {reason}")


def is_full(error: OSError) -> bool:
    """Tell whether the disk is full or a quota is exhausted."""
    return error.errno in (errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC))


def refused(target: Path, error: OSError) -> OutputError:
    """Build the error for a file that the system refused to write.

    Args:
        target: the file to be written.
        error: the system's error.
    """
    if is_full(error):
        return FullDiskError(
            f"cannot write {target}: the disk of {target.parent.resolve()} is full; "
            "make room on it, or name a folder on another disk"
        )
    return OutputError(f"cannot write {target}: {error.strerror or error}")


def text_of(error: Exception) -> str:
    """Return libvips' error text with unprintable characters replaced.

    Args:
        error: one of ``VIPS_ERRORS``.
    """
    if not isinstance(error, UnicodeDecodeError):
        return str(error)
    # pyvips failed before it cleared the buffer; the next error would contain the same bytes.
    pyvips.vips_lib.vips_error_clear()
    text = error.object.decode("utf-8", "replace")
    return "".join(each if each.isprintable() or each == "\n" else "?" for each in text)


def reason_of(error: Exception) -> str:
    """Return the last line of libvips' text that states a reason."""
    lines = (line.strip() for line in text_of(error).splitlines())
    # pyvips' first line names the operation; libvips' last may be an error number without a text.
    reasons = [line for line in lines if line and not any(word in line for word in _NO_REASONS)]
    return reasons[-1] if reasons else "libvips gave no reason"
