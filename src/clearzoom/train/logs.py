"""What Lightning writes: losses, into files; its own advice and warnings, nowhere."""

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
    """Make the loggers of a sitting.

    Args:
        folder: of the run.
        name: of the folder of logs in it.
        sitting: of its own folder there.
    """
    loggers: list[Logger] = [CSVLogger(folder, name, sitting)]
    if find_spec("tensorboard") is not None:
        loggers.append(TensorBoardLogger(folder, name, sitting))
    return loggers


@contextmanager
def quiet_lightning() -> Iterator[None]:
    """Silence what is expected; all other warnings pass.

    An error of TensorBoard's writing thread is raised in the calling thread too: it is said once.
    """
    said = threading.excepthook
    threading.excepthook = lambda failure: None if _writes(failure.thread) else said(failure)
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
        threading.excepthook = said
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)


def _writes(thread: threading.Thread | None) -> bool:
    """Whether a thread is TensorBoard's, which may not be installed."""
    return type(thread).__module__ == _TENSORBOARD
