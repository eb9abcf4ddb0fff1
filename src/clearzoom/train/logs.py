"""Where losses are written: a CSV file always, TensorBoard's events where it is installed."""

from importlib.util import find_spec
from pathlib import Path

from lightning.pytorch.loggers import CSVLogger, Logger, TensorBoardLogger


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
