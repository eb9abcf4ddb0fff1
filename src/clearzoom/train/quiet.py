"""Keep Lightning's advice about other people's loops off the screen."""

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

_EXPECTED = (
    ".*does not have many workers.*",  # our loaders yield numbers: workers have nothing to do
    r".*module\(s\) in eval mode.*",  # the averaged copy of the network, on purpose
    ".*isinstance\\(treespec, LeafSpec\\).*",  # Lightning's own use of torch
    ".*GPU available but not used.*",
)


@contextmanager
def quiet_lightning() -> Iterator[None]:
    """Silence what is expected; all other warnings pass."""
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
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)
