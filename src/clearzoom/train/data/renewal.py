"""LR versions that do not run out: the oldest makes way for a new one while training goes on.

Versions are numbered for ever. At a step, those of numbers r to r + V - 1 are in memory, where r is
the step divided by ``degradation.redraw_every_steps`` and V is ``degradation.versions``; number n
lies in slot n mod V. So what a step sees depends on the seed and the step alone.
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
"""Pictures that a thread draws before it looks whether it is still wanted."""
_NICENESS = 10


class Renewal:
    """Draws versions into memory, the first ones at once and later ones in the background.

    Args:
        pictures: (N, 3, H, W) uint8 HR, on the CPU.
        clean: (N, 3, H / scale, W / scale) uint8, the protocol's LR, on the CPU.
        scale: the reduction.
        wanted: what may happen, how many versions, and when the next one comes.
        seed: version n of picture i depends on (seed, n, i) alone.
        device: where the versions lie.
    """

    def __init__(
        self,
        pictures: Tensor,
        clean: Tensor,
        scale: int,
        wanted: Degradation,
        seed: int,
        device: torch.device,
    ) -> None:
        self._make = (pictures.numpy(), clean.numpy(), scale, wanted, seed)
        self._wanted = wanted
        count = wanted.versions
        self.lr = torch.empty((count, *clean.shape), dtype=torch.uint8, device=device)
        """(V, N, 3, h, w) uint8."""
        self.level = torch.empty((count, len(clean)), device=device)
        """(V, N) float: the fault level of each."""
        self._numbers = [-1] * count
        self._next: _Drawing | None = None
        cores = len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1
        self._threads = cores
        self._pool = ThreadPoolExecutor(cores, "faults", _step_back)
        pyvips.concurrency_set(1)  # threads have a picture each

    def at(self, step: int) -> None:
        """Have the versions of a step in memory; waits where one is not drawn yet.

        Args:
            step: the optimiser step, from 0; in turn, as the next version is begun meanwhile.
        """
        every, count = self._wanted.redraw_every_steps, self._wanted.versions
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
    """One version of all pictures, in the making."""

    def __init__(
        self,
        number: int,
        pictures: npt.NDArray[np.uint8],
        clean: npt.NDArray[np.uint8],
        scale: int,
        wanted: Degradation,
        seed: int,
    ) -> None:
        self.number = number
        self.lr = np.empty_like(clean)
        self.level = np.empty(len(clean), np.float32)
        self._of = (pictures, clean, scale, wanted, seed)
        self._lock = threading.Lock()
        self._begun = self._done = 0
        self._ended = threading.Event()
        self._error: BaseException | None = None

    def wait(self) -> None:
        """Draw what is left: other programs may keep the threads in the background waiting."""
        while self.go_on():
            pass
        self._ended.wait()
        if self._error is not None:
            raise self._error

    def go_on(self) -> bool:
        """Draw some pictures; False: there are no more."""
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
        pictures, clean, scale, wanted, seed = self._of
        hr, true = (np.ascontiguousarray(of[i].transpose(1, 2, 0)) for of in (pictures, clean))
        lr = degrade(hr, scale, wanted, (seed, self.number, i), true)
        self.lr[i] = lr.transpose(2, 0, 1)
        self.level[i] = fault_level(lr, true)


def _work(drawing: "weakref.ref[_Drawing]", pool: ThreadPoolExecutor) -> None:
    """Draw a little and queue up again, so that an end of the run or the program stops it."""
    alive = drawing()
    if alive is None or not alive.go_on():
        return
    try:
        pool.submit(_work, drawing, pool)
    except RuntimeError:  # the program ends
        return


def _step_back() -> None:
    """The steps come first; on Linux each thread has a niceness of its own."""
    if sys.platform == "linux":
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICENESS)
