"""Try a place on one tile: how fast it is, and how far its numbers are from those of the CPU.

A measurement is kept in the user's cache folder, so that it is made once.
"""

import hashlib
import json
import os
import statistics
import time
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from pathlib import Path

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from clearzoom.core.arrays import Tensor
from clearzoom.engines import Precision
from clearzoom.engines.devices import Place, full_name, version_of
from clearzoom.engines.foreign import Run
from clearzoom.engines.machine import cpu_words
from clearzoom.errors import OutputError
from clearzoom.io.atomic import whole_file
from clearzoom.io.example import example_picture
from clearzoom.io.user_folders import cache_folder

FOLDER = "devices"
"""The name of the folder in the cache folder."""

_SIDE_PX = 256
_RUNS = 3
_LONG_S = 1.0
"""After so long one run is enough."""


class Trial(BaseModel):
    """What one tile showed.

    Attributes:
        megapixels_per_s: of the result.
        difference_levels: the largest difference from fp32 on the CPU, in levels of 255.
        place: where the network ran, for people who read the file.
        precision: of the network, likewise.
        network: the hash of the weights, likewise.
        engine: the engine's version, likewise.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    megapixels_per_s: float = Field(gt=0, allow_inf_nan=False)
    difference_levels: float = Field(ge=0)
    place: str
    precision: str
    network: str
    engine: str


def kept_trial(
    place: Place, precision: Precision, sha256: str, measure: Callable[[], tuple[float, float]]
) -> Trial:
    """Return the trial of a network at a place, from the cache folder or by measuring now.

    The file's name depends on all that a trial depends on, so a new version or device is measured.

    Args:
        place: its device is here.
        precision: of the network.
        sha256: of the network's weights.
        measure: returns megapixels per second, and the largest difference in levels.
    """
    version = version_of(place.engine)
    threads = os.environ.get("OMP_NUM_THREADS", "")
    facts = [str(place), precision, sha256, version, full_name(place), cpu_words(), threads]
    name = hashlib.sha256(json.dumps(facts).encode()).hexdigest()[:16]
    file = cache_folder() / FOLDER / f"{name}.json"
    if (known := _read(file)) is not None:
        return known
    speed, difference = measure()
    trial = Trial(
        megapixels_per_s=float(f"{speed:.3g}"),
        difference_levels=float(f"{difference:.3g}"),
        place=str(place),
        precision=precision,
        network=sha256,
        engine=version,
    )
    if (known := _read(file)) is not None:  # of another process, which measured at the same time
        return known
    with suppress(OSError, OutputError):  # where nothing can be kept, it is measured each time
        file.parent.mkdir(parents=True, exist_ok=True)
        with whole_file(file) as temporary:
            temporary.write_text(trial.model_dump_json(indent=2), "utf-8")
    return trial


def _read(file: Path) -> Trial | None:
    try:
        return Trial.model_validate_json(file.read_bytes())
    except (OSError, ValidationError):  # a damaged file counts as none
        return None


@cache
def tile() -> Tensor:
    """Return the tile on which places are tried: (1, 3, 256, 256) float32 in -0.5..0.5."""
    picture = example_picture()[:_SIDE_PX, -_SIDE_PX:]
    planes = picture.transpose(2, 0, 1)[None].astype(np.float32)
    return np.ascontiguousarray(planes / np.float32(255) - np.float32(0.5))


def speed_of(run: Run, enough_s: float = _LONG_S) -> float:
    """Measure how many megapixels of the result a network makes in a second.

    Args:
        run: the network; its first run, which prepares it for a size, counts only if it is long.
        enough_s: after so many seconds no further run begins.
    """
    x, seconds = tile(), list[float]()
    began = time.perf_counter()
    while len(seconds) <= _RUNS and (not seconds or time.perf_counter() - began < enough_s):
        start = time.perf_counter()
        y = run(x)
        seconds.append(time.perf_counter() - start)
    return float(y.shape[2] * y.shape[3] / 1e6 / statistics.median(seconds[1:] or seconds))


def difference_levels(run: Run, reference: Run) -> float:
    """Return the largest difference of two networks' results, in levels of 255.

    Args:
        run: the network at a place.
        reference: the same in fp32 on the CPU.
    """
    ours, theirs = (np.clip(each(tile()), -0.5, 0.5) for each in (run, reference))
    off: Tensor = np.nan_to_num(np.abs(ours - theirs), nan=1)
    return float(off.max()) * 255
