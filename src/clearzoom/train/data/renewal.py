"""LR versions that are renewed during training: a new one replaces the oldest.

Versions are numbered without end. At a step, the numbers r to r + V - 1 are in memory, where r is
the step divided by ``degradation.redraw_every_steps`` and V is ``degradation.versions``; number n
lies in slot n mod V. So the versions of a step depend on the seed and the step alone.
"""

import os
import sys
import threading
import weakref
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import numpy.typing as npt
import pyvips
import torch
from rich.progress import track
from torch import Tensor

from clearzoom.train.data.degradation import Degradation
from clearzoom.train.data.degrade import degrade, fault_level
from clearzoom.train.processes import console

_TOGETHER = 8
"""Pictures that a thread draws before it checks whether they are still needed."""
_NICENESS = 10


class Renewal:
    """Draws versions into memory, the first ones at once and later ones in the background.

    Args:
        pictures: (N, 3, H, W) uint8 HR, on the CPU.
        clean: (N, 3, H / scale, W / scale) uint8, the protocol's LR, on the CPU.
        scale: the reduction.
        degradation: the faults, the number of versions, and the steps between two new ones.
        seed: version n of picture i depends on (seed, n, i) alone.
        device: the device that holds the versions.
    """

    def __init__(
        self,
        pictures: Tensor,
        clean: Tensor,
        scale: int,
        degradation: Degradation,
        seed: int,
        device: torch.device,
    ) -> None:
        self._make = (pictures.numpy(), clean.numpy(), scale, degradation, seed)
        self._degradation = degradation
        count = degradation.versions
        self.lr = torch.empty((count, *clean.shape), dtype=torch.uint8, device=device)
        """(V, N, 3, h, w) uint8."""
        self.level = torch.empty((count, len(clean)), device=device)
        """(V, N) float: the fault level of each."""
        self._numbers = [-1] * count
        self._next: _Drawing | None = None
        cores = len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1
        self._threads = cores
        self._pool = ThreadPoolExecutor(cores, "faults", _step_back)
        pyvips.concurrency_set(1)  # each thread has a picture of its own

    def at(self, step: int) -> None:
        """Bring the versions of a step into memory, and wait for one that is not drawn yet.

        Args:
            step: the optimiser step, from 0; steps must come in order, since the next version is
                drawn ahead.
        """
        every, count = self._degradation.redraw_every_steps, self._degradation.versions
        first = step // every if every else 0
        missing = [number for number in range(first, first + count) if number not in self._numbers]
        if missing:
            many = len(missing) > 1
            shown = track(missing, "Drawing faults", console=console()) if many else missing
            for number in shown:
                self._place(number)
        if every and self._next is None:
            self._next = self._begin(first + count)

    def _begin(self, number: int) -> "_Drawing":
        drawing = _Drawing(number, *self._make)
        for _ in range(self._threads):
            self._pool.submit(_work, weakref.ref(drawing), self._pool)
        return drawing

    def _place(self, number: int) -> None:
        drawing, self._next = self._next, None
        if drawing is None or drawing.number != number:
            drawing = self._begin(number)
        drawing.wait()
        slot = number % len(self._numbers)
        self.lr[slot].copy_(torch.from_numpy(drawing.lr))
        self.level[slot].copy_(torch.from_numpy(drawing.level))
        self._numbers[slot] = number


class _Drawing:
    """One version of all pictures, while threads draw it."""

    def __init__(
        self,
        number: int,
        pictures: npt.NDArray[np.uint8],
        clean: npt.NDArray[np.uint8],
        scale: int,
        degradation: Degradation,
        seed: int,
    ) -> None:
        self.number = number
        self.lr = np.empty_like(clean)
        self.level = np.empty(len(clean), np.float32)
        self._of = (pictures, clean, scale, degradation, seed)
        self._lock = threading.Lock()
        self._begun = self._done = 0
        self._ended = threading.Event()
        self._error: BaseException | None = None

    def wait(self) -> None:
        """Draw the rest in this thread too: other programs may hold up those in the background."""
        while self.go_on():
            pass
        self._ended.wait()
        if self._error is not None:
            raise self._error

    def go_on(self) -> bool:
        """Draw some pictures; give False when none are left to begin."""
        with self._lock:
            first = self._begun
            some = range(first, min(first + _TOGETHER, len(self.lr)))
            self._begun = some.stop
        if not some or self._error is not None:
            return False
        try:
            for i in some:
                self._one(i)
        except BaseException as error:
            self._error = error
            self._ended.set()
            raise
        with self._lock:
            self._done += len(some)
            if self._done == len(self.lr):
                self._ended.set()
        return True

    def _one(self, i: int) -> None:
        pictures, clean, scale, degradation, seed = self._of
        hr, true = (np.ascontiguousarray(of[i].transpose(1, 2, 0)) for of in (pictures, clean))
        lr = degrade(hr, scale, degradation, (seed, self.number, i), true)
        self.lr[i] = lr.transpose(2, 0, 1)
        self.level[i] = fault_level(lr, true)


def _work(drawing: "weakref.ref[_Drawing]", pool: ThreadPoolExecutor) -> None:
    """Draw a few pictures and queue up again, so that it stops with the run or the program."""
    alive = drawing()
    if alive is None or not alive.go_on():
        return
    try:
        pool.submit(_work, drawing, pool)
    except RuntimeError:  # the program ends
        return


def _step_back() -> None:
    """Lower the priority of a thread below that of the training steps, on Linux."""
    if sys.platform == "linux":
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICENESS)
