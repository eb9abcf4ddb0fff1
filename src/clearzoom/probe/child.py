"""The process in which a foreign network is read and measured: ``apart.measure_apart`` starts it.

It reads a request as one JSON line, and writes JSON lines: each step with the time that it may
take, measurements, and at last a result or an error.
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
from clearzoom.errors import ClearzoomError, MissingExtraError, ModelError

_WRITING_S = 1200.0
"""The time for reading weights with torch and writing them as ONNX, between two lines of progress.
torch.export takes minutes for transformers."""
_BETWEEN_RUNS_S = 300.0
"""The time for computations between runs of the network."""
_BYTES_PER_SECOND = 1e7
"""The rate for opening a file: a slow disk, and the preparations of an engine."""
_NO_MEMORY = ("bad_alloc", "bad allocation", "allocate memory", "out of memory")
"""What onnxruntime's errors say of it: they have no class or number for it."""


def main() -> None:
    """Serve one request on standard input."""
    request = json.loads(sys.stdin.readline())
    # Libraries print to standard output, so messages go to a copy of it and prints to stderr.
    out = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    _limit(request["limits"]["memory_bytes"])
    try:
        {"write": _write, "measure": _measure}[request["task"]](request, out)
    except MissingExtraError as error:
        _send(out, extra=[error.what, error.extra])
    except ClearzoomError as error:
        _send(out, error=type(error).__name__, message=str(error), setting=error.setting)
    except MemoryError:
        words = _too_much(request)
        _send(out, error="ModelError", message=f"{Path(request['file']).name} {words}")
    except Exception:
        _send(out, bug=traceback.format_exc())


def _write(request: dict[str, Any], out: TextIO) -> None:
    from clearzoom.probe.torch_file import write_onnx

    _send(out, doing="writing", seconds=_WRITING_S)
    written = write_onnx(
        Path(request["file"]),
        Path(request["written"]),
        lambda line: _send(out, say=line),
        request["name"],
    )
    if written.note is not None:
        _send(out, say=f"note: {written.note}")
    _send(out, result={"architecture": written.architecture, "torch_levels": written.levels})


def _measure(request: dict[str, Any], out: TextIO) -> None:
    from clearzoom.probe.measure import measure

    limits, path = request["limits"], Path(request["file"])
    fatal = {tuple(shape): words for shape, words in request["fatal"]}

    def guarded(run: AnyRun) -> AnyRun:
        def watched(x: npt.NDArray[Any]) -> npt.NDArray[Any]:
            shape = (x.shape[2], x.shape[3])
            if shape in fatal:
                raise ModelError(f"onnxruntime {fatal[shape]}")
            seconds = limits["seconds"] + limits["seconds_per_px"] * shape[0] * shape[1]
            _send(out, doing=shape, seconds=seconds)
            try:
                y = np.asarray(run(x))
            except Exception as error:  # onnxruntime's exceptions share no public base
                if isinstance(error, MemoryError) or any(w in str(error) for w in _NO_MEMORY):
                    at = f"for {shape[1]}x{shape[0]} px"
                    raise ModelError(f"this network {_too_much(request)} {at}") from error
                raise
            _send(out, doing="between", seconds=_BETWEEN_RUNS_S)
            return y

        return watched

    size = path.stat().st_size if path.is_file() else 0
    _send(out, doing="opening", seconds=limits["seconds"] + size / _BYTES_PER_SECOND)
    card, content = measure(
        path,
        request["licence"],
        request["name"],
        lambda line: _send(out, say=line),
        guarded,
        from_above=bool(fatal),
        memory_bytes=limits["memory_bytes"],
        source=request.get("source"),
        architecture=request.get("architecture"),
        torch_levels=request.get("torch_levels"),
    )
    Path(request["content"]).write_bytes(content)
    _send(out, result={"card": card.model_dump(mode="json")})


def _too_much(request: dict[str, Any]) -> str:
    return f"needs more than the {request['limits']['memory_bytes'] / 1e9:.1f} GB that it may have"


def _send(out: TextIO, **message: Any) -> None:
    out.write(json.dumps(message) + "\n")
    out.flush()


def _limit(memory_bytes: int) -> None:
    try:
        import resource
    except ImportError:  # Windows has no such limits; time is limited there, too
        return
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    # The address space is not limited, since engines reserve much that they never touch.
    hard = resource.getrlimit(resource.RLIMIT_DATA)[1]
    soft = memory_bytes if hard == resource.RLIM_INFINITY else min(memory_bytes, hard)
    resource.setrlimit(resource.RLIMIT_DATA, (soft, hard))


def _end_with_parent() -> None:
    while sys.stdin.read(1):
        pass
    os._exit(0)


if __name__ == "__main__":
    main()
