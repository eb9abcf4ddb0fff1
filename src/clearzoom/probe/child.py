"""The process in which a foreign network is measured: ``apart.measure_apart`` starts it.

It reads one JSON line, and writes lines: what it does and how long that may take, what is measured,
and at last a card or an error.
"""

import json
import os
import sys
import threading
import traceback
from pathlib import Path
from typing import Any, TextIO

import numpy as np
import numpy.typing as npt

from clearzoom.engines.foreign import AnyRun
from clearzoom.errors import ClearzoomError, ModelError

_BETWEEN_RUNS_S = 300.0
"""What is computed here, not by the network."""
_BYTES_PER_SECOND = 1e7
"""Of a file that is opened: on a slow disk, with all that an engine does first."""
_NO_MEMORY = ("bad_alloc", "bad allocation", "allocate memory", "out of memory")
"""What onnxruntime's errors say of it: they have no class or number for it."""


def main() -> None:
    """Measure what is asked for on standard input."""
    asked = json.loads(sys.stdin.readline())
    # What a library prints is no message.
    out = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    _limit(asked["limits"]["memory_bytes"])
    try:
        _measure(asked, out)
    except ClearzoomError as error:
        _tell(out, error=type(error).__name__, message=str(error), setting=error.setting)
    except MemoryError:
        words = _too_much(asked)
        _tell(out, error="ModelError", message=f"{Path(asked['file']).name} {words}")
    except Exception:
        _tell(out, bug=traceback.format_exc())


def _measure(asked: dict[str, Any], out: TextIO) -> None:
    from clearzoom.probe.measure import measure

    limits, path = asked["limits"], Path(asked["file"])
    fatal = {tuple(shape): words for shape, words in asked["fatal"]}

    def guarded(run: AnyRun) -> AnyRun:
        def watched(x: npt.NDArray[Any]) -> npt.NDArray[Any]:
            shape = (x.shape[2], x.shape[3])
            if shape in fatal:
                raise ModelError(f"onnxruntime {fatal[shape]}")
            seconds = limits["seconds"] + limits["seconds_per_px"] * shape[0] * shape[1]
            _tell(out, doing=shape, seconds=seconds)
            try:
                y = np.asarray(run(x))
            except Exception as error:  # onnxruntime's exceptions share no public base
                if isinstance(error, MemoryError) or any(w in str(error) for w in _NO_MEMORY):
                    at = f"for {shape[1]}x{shape[0]} px"
                    raise ModelError(f"this network {_too_much(asked)} {at}") from error
                raise
            _tell(out, doing="between", seconds=_BETWEEN_RUNS_S)
            return y

        return watched

    size = path.stat().st_size if path.is_file() else 0
    _tell(out, doing="opening", seconds=limits["seconds"] + size / _BYTES_PER_SECOND)
    card, content = measure(
        path,
        asked["licence"],
        asked["name"],
        lambda line: _tell(out, say=line),
        guarded,
        from_above=bool(fatal),
    )
    Path(asked["content"]).write_bytes(content)
    _tell(out, card=card.model_dump(mode="json"))


def _too_much(asked: dict[str, Any]) -> str:
    return f"needs more than the {asked['limits']['memory_bytes'] / 1e9:.1f} GB that it may have"


def _tell(out: TextIO, **message: Any) -> None:
    out.write(json.dumps(message) + "\n")
    out.flush()


def _limit(memory_bytes: int) -> None:
    try:
        import resource
    except ImportError:  # Windows has no such limits; time is limited there, too
        return
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    # Not the address space: engines reserve much that they never touch.
    hard = resource.getrlimit(resource.RLIMIT_DATA)[1]
    wanted = memory_bytes if hard == resource.RLIM_INFINITY else min(memory_bytes, hard)
    resource.setrlimit(resource.RLIMIT_DATA, (wanted, hard))


def _end_with_parent() -> None:
    while sys.stdin.read(1):
        pass
    os._exit(0)


if __name__ == "__main__":
    main()
