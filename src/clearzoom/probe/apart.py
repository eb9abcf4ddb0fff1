"""Measure a network of others in a process of its own: whatever it does there is an answer.

An engine that is given a foreign file can divide by zero, run for ever or take all memory. Here
that ends the child, never the command: the child says before each run what it tries and how long
that may take, and what it tried last when it ends is what the error names.
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
from clearzoom.errors import ModelError, WeightsError
from clearzoom.probe.measure import Say
from clearzoom.weights.card import AddedCard

_MOST_CRASHES = 4
"""Sizes that may end the process until the network as a whole is refused."""
_MOST_MEMORY_BYTES = 16 * 2**30


def _usual_memory_bytes() -> int:
    """Three quarters of the machine's, so that the system has no reason to end others."""
    try:
        there = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):  # not on Windows
        return _MOST_MEMORY_BYTES
    return min(_MOST_MEMORY_BYTES, there * 3 // 4)


@dataclass(frozen=True)
class Limits:
    """What a foreign network may take.

    ``seconds``: to be opened, and for one run, and ``seconds_per_px`` more for each px of its
    input. ``memory_bytes``: of the whole process, where the system knows such a limit.
    """

    seconds: float = 60.0
    seconds_per_px: float = 0.02
    memory_bytes: int = field(default_factory=_usual_memory_bytes)


@dataclass(frozen=True)
class _End:
    """How the child ended before it had an answer, and what it was at."""

    words: str
    doing: Any


def measure_apart(
    file: Path, licence: str, name: str, say: Say, limits: Limits
) -> tuple[AddedCard, bytes]:
    """Measure a network as ``measure`` does, in a process with limits.

    A size of picture that ends the process is one that the network does not take: it is measured
    again without that one, and the least size above becomes its minimum.

    Args:
        file: .onnx.
        licence: as the person states it.
        name: that it shall have.
        say: is told what is measured.
        limits: of time and memory.

    Returns:
        Its card, and the content of its one file.

    Raises:
        MissingFileError: no such file.
        WeightsError: damaged, or no ONNX; or opening it ends the process.
        ModelError: the name cannot be had; it is no enlarging network that tiles allow, and why; or
            it took too long or too much memory, or ended the process at too many sizes.
    """
    fatal: list[tuple[tuple[int, int], str]] = []
    with TemporaryDirectory() as scratch:
        content = Path(scratch) / "network.onnx"
        while True:
            asked = {
                "file": str(file.absolute()),
                "licence": licence,
                "name": name,
                "content": str(content),
                "limits": asdict(limits),
                "fatal": fatal,
            }
            end = _once(asked, say if not fatal else lambda line: None)
            if isinstance(end, AddedCard):
                if fatal:
                    least = end.interface.sizes.minimum_px
                    say(f"it takes {least} px or more: onnxruntime {fatal[-1][1]}")
                return end, content.read_bytes()
            if not isinstance(end.doing, list):
                when = {"opening": " when it opened the file"}.get(end.doing, "")
                raise WeightsError(f"{file.name} cannot be used: onnxruntime {end.words}{when}")
            height, width = end.doing
            at = f"{end.words} at {width}x{height} px"
            fatal.append(((height, width), at))
            if len(fatal) >= _MOST_CRASHES:
                raise ModelError(
                    f"{file.name} cannot be used: onnxruntime {at}, and at {len(fatal) - 1} other "
                    "sizes"
                )


def _once(asked: dict[str, Any], say: Say) -> AddedCard | _End:
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
    doing: Any = "start"
    try:
        # It stays open: where this process ends, the child reads the end of it, and ends, too.
        child.stdin.write(json.dumps(asked) + "\n")
        child.stdin.flush()
        for said in _lines(child, asked["limits"]["seconds"]):
            if said is None:
                what = "was being opened" if not isinstance(doing, list) else "ran on {1}x{0} px"
                words = what.format(*doing) if isinstance(doing, list) else what
                raise ModelError(
                    f"{Path(asked['file']).name} {words} for longer than it may; a network that "
                    "takes so long on this machine, or never ends, cannot be added"
                )
            if "say" in said:
                say(said["say"])
            elif "doing" in said:
                doing = said["doing"]
            elif "card" in said:
                return AddedCard.model_validate(said["card"])
            elif "bug" in said:
                raise RuntimeError(said["bug"])
            else:
                raise getattr(errors, said["error"])(said["message"], setting=said["setting"])
        return _End(_ended(child.wait()), doing)
    except BrokenPipeError:
        return _End(_ended(child.wait()), doing)
    finally:
        child.kill()
        child.wait()
        child.stdout.close()
        with suppress(BrokenPipeError):  # what the child did not read any more
            child.stdin.close()


def _lines(child: "subprocess.Popen[str]", seconds: float) -> Iterator[dict[str, Any] | None]:
    """What the child says; None where it says nothing for as long as it said that it needs."""
    said: queue.SimpleQueue[str | None] = queue.SimpleQueue()

    def read() -> None:
        assert child.stdout is not None
        with suppress(ValueError):  # closed, as nobody waits for it any more
            for line in child.stdout:
                said.put(line)
        said.put(None)

    threading.Thread(target=read, daemon=True).start()
    # Starting Python and importing engines takes its time on a busy machine.
    patience = max(seconds, 60.0)
    while True:
        try:
            line = said.get(timeout=patience)
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
