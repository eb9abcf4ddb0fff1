"""Nothing is sent anywhere: what libraries would report to their makers is turned off here.

onnxruntime reports the interpreter's path, the memory and names of models; OpenVINO that it was
imported; Ray how it is used. Each decides when it is loaded, so the package calls ``send_nothing``
before any of its parts can load one. Processes that are started from here inherit the environment,
and workers on other machines import the package themselves.
"""

import os
import sys
from pathlib import Path


def send_nothing() -> None:
    """Turn reports off; a variable that is set already stays, as it is the user's choice."""
    os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    # OpenVINO has no such variable, but does without the package that reports where that is not
    # installed. A module that is None counts as not installed.
    sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]


def keep_files_in(cache: Path) -> None:
    """Have matplotlib, which torchmetrics loads too, keep its list of fonts with our files.

    Args:
        cache: the folder of what can be made again.
    """
    os.environ.setdefault("MPLCONFIGDIR", str(cache / "matplotlib"))
