"""Loggers of losses, as CSV and for TensorBoard; Lightning's own messages are silenced."""

import logging
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

from lightning.pytorch.loggers import CSVLogger, Logger, TensorBoardLogger

_TENSORBOARD = "tensorboard.summary.writer.event_file_writer"
_EXPECTED = (
    ".*does not have many workers.*",  # our loaders yield numbers: workers have nothing to do
    r".*module\(s\) in eval mode.*",  # the averaged copy of the network, on purpose
    ".*isinstance\\(treespec, LeafSpec\\).*",  # Lightning's own use of torch
    ".*GPU available but not used.*",
    ".*accumulate the metric across devices.*",  # all validate on all pictures: it is one number
)


def loggers_of(folder: Path, name: str, sitting: str) -> list[Logger]:
    """Make the loggers of a sitting: CSV, and TensorBoard's if it is installed.

    Args:
        folder: the folder of the run.
        name: name of the folder of logs in it.
        sitting: name of this sitting's folder among the logs.
    """
    loggers: list[Logger] = [CSVLogger(folder, name, sitting)]
    if find_spec("tensorboard") is not None:
        loggers.append(TensorBoardLogger(folder, name, sitting))
    return loggers


@contextmanager
def quiet_lightning() -> Iterator[None]:
    """Silence Lightning's advice and expected warnings; all others pass.

    An error in TensorBoard's writing thread is raised in the calling thread too, so the thread
    does not report it again.
    """
    before = threading.excepthook
    threading.excepthook = lambda failure: None if _writes(failure.thread) else before(failure)
    loggers = [logging.getLogger(f"lightning.{part}") for part in ("pytorch", "fabric")]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.WARNING)
    try:
        with warnings.catch_warnings():
            for message in _EXPECTED:
                warnings.filterwarnings("ignore", message=message)
            yield
    finally:
        for thread in threading.enumerate():
            if _writes(thread) and getattr(thread, "exception", None) is not None:
                thread.join()
        threading.excepthook = before
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)


def _writes(thread: threading.Thread | None) -> bool:
    """Say whether a thread is TensorBoard's writer."""
    return type(thread).__module__ == _TENSORBOARD
