"""Measure how fast the default model runs at each place, each in a process of its own.

A broken driver can end a process or never answer; then that is the finding.
"""

import json
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

from clearzoom.doctor.findings import Finding
from clearzoom.errors import ClearzoomError

SCALE = 4

_TIMEOUT_S = 60.0
_ENOUGH_S = 1.5
"""Runs are repeated for so long."""


def speeds() -> Iterator[Finding]:
    """Measure the places that are here, one after the other.

    Yields:
        For each place and precision the result's megapixels per second, and the largest difference
        from fp32 on the CPU in levels of 255.
    """
    from clearzoom.engines.devices import PLACES, name_of

    for place in PLACES:
        try:
            here = place.engine != "torch" and name_of(place) is not None
        except Exception:  # ``devices`` names the fault
            here = False
        for precision in place.precisions if here else ():
            if precision == "fp32" or (precision == "fp16" and place.device != "cpu"):
                yield measured(place.engine, place.device, precision)


def measured(engine: str, device: str, precision: str) -> Finding:
    """Measure one place in another process.

    Args:
        engine: of the place.
        device: of the place, as ``Place.device`` has it.
        precision: of the network.
    """
    name = f"{engine} {device.removeprefix('openvino-')} {precision}"
    call = [sys.executable, "-m", __name__, engine, device, precision]
    try:
        done = subprocess.run(call, capture_output=True, text=True, timeout=_TIMEOUT_S)
    except subprocess.TimeoutExpired:
        return Finding(name, fault=f"it did not answer within {_TIMEOUT_S:g} s")
    except OSError as error:
        return Finding(name, fault=f"no process could be started: {error}")
    if done.returncode == 0:
        return Finding(name, json.loads(done.stdout.splitlines()[-1]))
    if done.returncode < 0:
        return Finding(name, fault=f"its process was ended by signal {-done.returncode}")
    said = done.stderr.strip().splitlines() or ["it gave no reason"]
    return Finding(name, fault=said[-1])


def _measure(engine: str, device: str, precision: Any) -> dict[str, float]:
    from clearzoom.engines.choice import Model, loaded
    from clearzoom.engines.devices import PLACES
    from clearzoom.engines.trial import difference_levels, speed_of
    from clearzoom.weights import DEFAULT_MODEL, find

    path = find(DEFAULT_MODEL, SCALE)
    places = {(place.engine, place.device): place for place in PLACES}
    model = Model(path, path, "")
    run = loaded(model, places[engine, device], precision)  # type: ignore[index]
    speed = float(f"{speed_of(run, _ENOUGH_S):.3g}")
    if (engine, device) == ("onnxruntime", "cpu"):
        return {"megapixels_per_s": speed}
    off = difference_levels(run, loaded(model, places["onnxruntime", "cpu"], "fp32"))
    return {"megapixels_per_s": speed, "difference_levels": float(f"{off:.2g}")}


if __name__ == "__main__":
    try:
        print(json.dumps(_measure(*sys.argv[1:])))
    except ClearzoomError as error:
        sys.exit(error.worded(lambda name: name))
