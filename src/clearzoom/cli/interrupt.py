"""Stop work on Ctrl-C or SIGTERM so that it can be continued."""

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

import typer

from clearzoom.cli.console import say

# The bar hides the cursor, which a sudden end would not show.
_STOPPING = (
    b"\x1b[?25h\r\x1b[2Kstopping after the running tiles; Ctrl-C once more stops at once\r\n"
)


class _Terminated(KeyboardInterrupt):
    """SIGTERM came: a scheduler, a container or ``timeout`` ends the command."""


@contextmanager
def stoppable() -> Iterator[None]:
    """Stop the work in the block on Ctrl-C and on SIGTERM; the main thread must call this.

    The first one finishes the running tiles. A second Ctrl-C aborts at once, which is as safe as a
    kill; a second SIGTERM changes nothing, as ``timeout`` and schedulers send it twice: to the
    process, and to its group.
    """
    before = {number: signal.signal(number, _stop) for number in _stopping()}
    try:
        yield
    except KeyboardInterrupt as stop:
        say("stopped; repeat the command to continue", err=True)
        number = signal.SIGTERM if isinstance(stop, _Terminated) else signal.SIGINT
        raise typer.Exit(128 + number) from None
    finally:
        for number, handler in before.items():
            if signal.getsignal(number) is _stop:  # else a second Ctrl-C ends at once
                signal.signal(number, handler)


def _stopping() -> list[signal.Signals]:
    # A program around this one, or 'trap' of a shell, may have decided about SIGTERM.
    takes_term = signal.getsignal(signal.SIGTERM) == signal.SIG_DFL
    return [signal.SIGINT, *([signal.SIGTERM] if takes_term else [])]


def _stop(number: int, frame: FrameType | None) -> None:
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    if signal.getsignal(signal.SIGTERM) is _stop:
        # A handler of Python's would not last until the process has ended; to ignore it does.
        again = signal.SIG_IGN if number == signal.SIGTERM else signal.SIG_DFL
        signal.signal(signal.SIGTERM, again)
    if sys.stderr.isatty():
        # Straight to the terminal: the signal may have come while Python was printing.
        os.write(sys.stderr.fileno(), _STOPPING)
    raise _Terminated if number == signal.SIGTERM else KeyboardInterrupt
