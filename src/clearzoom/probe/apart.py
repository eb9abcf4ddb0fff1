"""Measure a foreign network in a process of its own, which may crash without harm.

A foreign file can make an engine divide by zero, run for ever or take all memory. This ends the
child process and never the command: before each run the child reports what it tries and how long
that may take, and the error names the last of these reports.
"""

import json
import os
import queue
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from clearzoom import errors
from clearzoom.errors import MissingExtraError, ModelError, WeightsError
from clearzoom.probe.measure import Say
from clearzoom.probe.torch_weights import SUFFIXES
from clearzoom.weights.card import AddedCard

_MOST_CRASHES = 4
"""The network is refused when this many sizes have ended the process."""
_MOST_MEMORY_BYTES = 16 * 2**30


def _usual_memory_bytes() -> int:
    """Return three quarters of the machine's memory, so that the system kills no other process."""
    try:
        installed = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):  # not on Windows
        return _MOST_MEMORY_BYTES
    return min(_MOST_MEMORY_BYTES, installed * 3 // 4)


@dataclass(frozen=True)
class Limits:
    """The time and memory that a foreign network may use.

    ``seconds`` limits opening the file and one run, with ``seconds_per_px`` more for each px of the
    input. ``memory_bytes`` limits the whole process, where the system supports it.
    """

    seconds: float = 60.0
    seconds_per_px: float = 0.02
    memory_bytes: int = field(default_factory=_usual_memory_bytes)


@dataclass(frozen=True)
class _End:
    """How the child ended before it had a result, and the step (or the size) that it tried."""

    words: str
    doing: str | list[int]


def measure_apart(
    file: Path, licence: str, name: str, say: Say, limits: Limits
) -> tuple[AddedCard, bytes]:
    """Measure a network as ``measure`` does, in a process with limits.

    A picture size that ends the process, or takes too long, counts as one that the network does not
    accept. The network is measured again without it.

    Args:
        file: the .onnx file, or weights of PyTorch, which are written as ONNX first.
        licence: of the weights, as the user states it.
        name: of the new model.
        say: a function that prints a line of progress.
        limits: of time and memory.

    Returns:
        The card, and the content of the model's one file.

    Raises:
        MissingFileError: the file does not exist.
        MissingExtraError: weights of PyTorch need the extra [models].
        WeightsError: the file is damaged or not of its kind, or opening it ends the process.
        ModelError: the name is invalid or taken; the network gives no enlarged picture; or it
            ended the process at too many sizes.
    """
    with TemporaryDirectory() as scratch:
        request = {
            "file": str(file.absolute()),
            "licence": licence,
            "name": name,
            "content": str(Path(scratch) / "network.onnx"),
            "limits": asdict(limits),
        }
        if file.suffix.lower() in SUFFIXES:
            written = str(Path(scratch) / "written.onnx")
            end = _once(request | {"task": "write", "written": written}, say)
            if isinstance(end, _End):
                raise WeightsError(f"{file.name} cannot be used: torch {end.words}")
            request |= {"file": written, "source": file.name, **end}
        return _measured(file.name, request, say)


def _measured(source: str, request: dict[str, Any], say: Say) -> tuple[AddedCard, bytes]:
    fatal: list[tuple[tuple[int, int], str]] = []
    lines: set[str] = set()

    def say_once(line: str) -> None:
        if line not in lines:  # measured again without a size, most is as before
            lines.add(line)
            say(line)

    while True:
        task = {"task": "measure", "fatal": fatal}
        end = _once(request | task, say_once)
        if not isinstance(end, _End):
            card = AddedCard.model_validate(end["card"])
            for _, why in fatal:
                say(f"it does not take this size: onnxruntime {why}")
            return card, Path(request["content"]).read_bytes()
        if not isinstance(end.doing, list):
            when = " when it opened the file" if end.doing == "opening" else ""
            raise WeightsError(f"{source} cannot be used: onnxruntime {end.words}{when}")
        height, width = end.doing
        at = f"{end.words} at {width}x{height} px"
        fatal.append(((height, width), at))
        if len(fatal) >= _MOST_CRASHES:
            raise ModelError(
                f"{source} cannot be used: onnxruntime {at}, and at {len(fatal) - 1} other sizes"
            )


def _once(request: dict[str, Any], say: Say) -> dict[str, Any] | _End:
    """Run one task in a child; return its result, or how it ended without one."""
    child = subprocess.Popen(
        [sys.executable, "-m", "clearzoom.probe.child"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        encoding="utf-8",
        env=os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
    )
    assert child.stdin is not None
    assert child.stdout is not None
    doing: str | list[int] = "start"
    try:
        # It stays open: when this process ends, the child reads the end of the stream and ends too.
        child.stdin.write(json.dumps(request) + "\n")
        child.stdin.flush()
        for message in _lines(child, request["limits"]["seconds"]):
            if message is None:
                return _End("ran for longer than it may", doing)
            if "say" in message:
                say(message["say"])
            elif "doing" in message:
                doing = message["doing"]
            elif "result" in message:
                result: dict[str, Any] = message["result"]
                return result
            elif "bug" in message:
                raise RuntimeError(message["bug"])
            else:
                raise _error_of(message)
        return _End(_ended(child.wait()), doing)
    except BrokenPipeError:
        return _End(_ended(child.wait()), doing)
    finally:
        child.kill()
        child.wait()
        child.stdout.close()
        with suppress(BrokenPipeError):  # the child may have left a part unread
            child.stdin.close()


def _error_of(message: dict[str, Any]) -> Exception:
    if "extra" in message:
        return MissingExtraError(*message["extra"])
    error: Exception = getattr(errors, message["error"])(
        message["message"], setting=message.get("setting")
    )
    return error


def _lines(child: "subprocess.Popen[str]", seconds: float) -> Iterator[dict[str, Any] | None]:
    """Yield the child's messages; None if none comes in the time that the last one allowed."""
    lines: queue.SimpleQueue[str | None] = queue.SimpleQueue()

    def read() -> None:
        assert child.stdout is not None
        with suppress(ValueError):  # the stream is closed when nobody waits for it any more
            for line in child.stdout:
                lines.put(line)
        lines.put(None)

    threading.Thread(target=read, daemon=True).start()
    # Starting Python and importing engines is slow on a busy machine.
    patience = max(seconds, 60.0)
    while True:
        try:
            line = lines.get(timeout=patience)
        except queue.Empty:
            yield None
            return
        if line is None:
            return
        message = json.loads(line)
        patience = message.get("seconds", patience)
        yield message


def _ended(status: int) -> str:
    if status >= 0:
        return f"ended the process with status {status}"
    name = signal.Signals(-status).name
    if -status == getattr(signal, "SIGKILL", 9):
        return f"was ended by the system ({name}), as where memory runs out,"
    return f"ended the process with {name}"
