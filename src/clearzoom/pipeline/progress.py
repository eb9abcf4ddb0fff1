"""Report progress over several pictures, and stop where a program asks for it."""

import threading
from collections.abc import Callable
from functools import partial

from clearzoom.engines.tiled import Progress
from clearzoom.errors import CancelledError, InputError


def in_turn(progress: Progress | None, index: int, pictures: int) -> Progress | None:
    """Return the progress of one of several pictures, each of which counts the same.

    Args:
        progress: is called with (tiles done, tiles in all) of all pictures.
        index: the number of the picture, from 0.
        pictures: how many there are.

    Example:
        >>> in_turn(lambda done, total: print(done, total), 1, 3)(2, 10)
        12 30
    """
    return progress and partial(_report, progress, index, pictures)


def _report(progress: Progress, index: int, pictures: int, done: int, total: int) -> None:
    progress(index * total + done, pictures * total)


def stopping(progress: Progress | None, cancel: threading.Event | None) -> Progress | None:
    """Return a progress that also ends the work once an event is set.

    Args:
        progress: is called with (tiles done, tiles in all), or None.
        cancel: ends the work after the running tile, or None.

    Raises:
        CancelledError: from the progress that is returned, where the event is set.
    """
    if cancel is None:
        return progress

    def report(done: int, total: int) -> None:
        check_not_cancelled(cancel)
        if progress is not None:
            progress(done, total)

    return report


def check_calls(
    progress: Progress | None,
    cancel: threading.Event | None,
    notes: Callable[[str], object] | None = None,
) -> None:
    """Refuse what cannot be called, or cannot be set, before any work.

    Args:
        progress: a function, or None.
        cancel: an event, also of ``multiprocessing``, or None.
        notes: a function, or None.

    Raises:
        InputError: one of them is none of these.
    """
    if progress is not None and not callable(progress):
        raise InputError(f"progress should be a function, not a {type(progress).__name__}")
    if notes is not None and not callable(notes):
        remedy = "; give the list's append" if isinstance(notes, list) else ""
        raise InputError(f"notes should be a function, not a {type(notes).__name__}{remedy}")
    is_set = None if isinstance(cancel, type) else getattr(cancel, "is_set", None)
    if cancel is not None and not callable(is_set):
        raise InputError(f"cancel should be a threading.Event, not a {type(cancel).__name__}")


def check_not_cancelled(cancel: threading.Event | None) -> None:
    """Raise a CancelledError if an event is set."""
    if cancel is not None and cancel.is_set():
        raise CancelledError("cancelled by the program; call again to begin or to go on")
