"""Ctrl-C ends a run between two steps: in the middle of one, weights and averages do not fit."""

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

import lightning
from lightning import Callback

_STANDARD_ERROR = 2


class InterruptedBetweenStepsError(KeyboardInterrupt):
    """The run was asked to end, and all that it has learnt is whole."""


class Interrupt(Callback):
    """Wait with an interrupt from the keyboard for the end of the step; a second one is at once.

    Where a validation is due, its end is waited for: resumed, the run would not make it again, and
    might choose other weights as its best. It comes after the callback that saves.
    """

    def __init__(self) -> None:
        self._is_asked = False

    @contextmanager
    def heard(self) -> Iterator[None]:
        """Listen while a block runs, where anybody does: not in the background, nor in a thread."""
        before = signal.getsignal(signal.SIGINT)
        if before == signal.SIG_IGN or threading.current_thread() is not threading.main_thread():
            yield
            return
        signal.signal(signal.SIGINT, self._hear)
        try:
            yield
        finally:
            signal.signal(signal.SIGINT, before)  # Lightning leaves it ignored

    def _hear(self, _number: int, _frame: FrameType | None) -> None:
        if self._is_asked:
            raise KeyboardInterrupt
        self._is_asked = True
        # The interrupt may have come while something is printed: so not by Python's files.
        os.write(
            _STANDARD_ERROR, b"stopping after this step; again: at once, and what is new lost\n"
        )

    def on_train_batch_end(self, trainer: lightning.Trainer, pl_module: Any, *_: Any) -> None:
        """End here, unless a validation comes now."""
        is_validated_now = (
            trainer.should_stop or pl_module.step % pl_module.config.run.validate_every_steps == 0
        )
        if self._is_asked and not is_validated_now:
            raise InterruptedBetweenStepsError

    def on_validation_end(self, trainer: lightning.Trainer, pl_module: Any) -> None:
        """End here."""
        if self._is_asked:
            raise InterruptedBetweenStepsError
