"""Turn off the usage reports that libraries would send to their makers.

onnxruntime reports the interpreter's path, the memory and the names of models, OpenVINO its import,
and Ray its usage. Each library decides while it loads, so the package calls ``send_nothing`` before
any of its modules can load one. Child processes inherit the environment, and workers on other
machines import the package themselves.
"""

import os
import sys
from pathlib import Path


def send_nothing() -> None:
    """Turn reports off, except where the user's environment sets a variable already."""
    os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    # OpenVINO has no such variable, but runs without its reporting package. A module that is None
    # counts as not installed.
    sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]


def keep_files_in(cache: Path) -> None:
    """Make matplotlib, which torchmetrics loads too, keep its list of fonts in our cache.

    Args:
        cache: the cache folder.
    """
    os.environ.setdefault("MPLCONFIGDIR", str(cache / "matplotlib"))
