"""Stop work on Ctrl-C so that it can be continued."""

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


@contextmanager
def stoppable() -> Iterator[None]:
    """Stop the work in the block on Ctrl-C; the main thread must call this.

    The first Ctrl-C finishes the running tiles; a second aborts at once, which is as safe as a
    kill.
    """
    before = signal.signal(signal.SIGINT, _stop)
    try:
        yield
    except KeyboardInterrupt:
        say("stopped; repeat the command to continue", err=True)
        raise typer.Exit(130) from None
    finally:
        if signal.getsignal(signal.SIGINT) is _stop:  # else a second Ctrl-C ends at once
            signal.signal(signal.SIGINT, before)


def _stop(number: int, frame: FrameType | None) -> None:
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    if sys.stderr.isatty():
        # Straight to the terminal: the signal may have come while Python was printing.
        os.write(sys.stderr.fileno(), _STOPPING)
    raise KeyboardInterrupt
