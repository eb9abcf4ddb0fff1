"""How fast networks run on this machine, and so how much they can infer in time."""

import time
from collections.abc import Mapping
from itertools import product
from math import prod
from pathlib import Path

import numpy as np

from clearzoom.core.plan import MOST_STAGES, chain_for
from clearzoom.engines.network import Network
from clearzoom.io.atomic import whole_file
from clearzoom.server.locks import CancelCheck, KeyedLock

_SIDE_PX = 96
"""Side of the part on which a network is timed: large enough for all cores, and soon done."""
_ROUNDS = 3
_LEAST_PX = 1_000_000
"""So much of a picture is enlarged on any machine: many times what a viewer's tile needs."""
_SHARE = 0.125
"""Of the seconds that a client waits at most. Two answers are made at once, on the same cores, jobs
beside them, and a machine may become several times slower."""


class Pace:
    """Measures networks; the processes of a server measure each model once, and share the result.

    Args:
        folder: holds the results of this run.
        locks: let one process measure.
        answer_s: seconds for which a client waits at most.
    """

    def __init__(self, folder: Path, locks: KeyedLock, answer_s: float) -> None:
        self._folder, self._locks, self._answer_s = folder, locks, answer_s
        self._px_per_s: dict[str, float] = {}

    def is_known(self, model: str) -> bool:
        """Return whether a model was measured."""
        return model in self._px_per_s

    def measure(self, model: str, network: Network, check: CancelCheck) -> None:
        """Measure how many px a model enlarges in a second, unless that is known.

        Args:
            model: the model's name.
            network: the network of its largest scale; the others are as fast, px for px.
            check: is called while another process measures.
        """
        with self._locks.hold(f"pace {model}", check):
            file = self._folder / f"{model}.pace"
            try:
                self._px_per_s[model] = float(file.read_text())
                return
            except (OSError, ValueError):
                self._px_per_s[model] = _px_per_s(network)
            file.parent.mkdir(parents=True, exist_ok=True)
            with whole_file(file) as temporary:
                temporary.write_text(str(self._px_per_s[model]))

    def steps(self, model: str, work: Mapping[int, float]) -> tuple[tuple[int, float], ...]:
        """List how many times wider a model makes a picture, each with the most px to begin with.

        Args:
            model: a model that was measured.
            work: of its networks by scale, for ``chain_for``.
        """
        budget_px = max(_LEAST_PX, self._px_per_s[model] * self._answer_s * _SHARE)
        times = {
            prod(chain)
            for length in range(1, MOST_STAGES + 1)
            for chain in product(work, repeat=length)
        }
        return tuple((each, budget_px / _work(chain_for(each, work))) for each in sorted(times))


def _work(stages: tuple[int, ...]) -> int:
    """Return how many px the networks of a chain enlarge for each px of the picture."""
    return sum(prod(stages[:index]) ** 2 for index in range(len(stages)))


def _px_per_s(network: Network) -> float:
    part = np.zeros((1, 3, _SIDE_PX, _SIDE_PX), np.float32)
    network.run(part)  # an engine prepares itself for a size
    seconds = []
    for _ in range(_ROUNDS):
        began = time.perf_counter()
        network.run(part)
        seconds.append(time.perf_counter() - began)
    return _SIDE_PX**2 / min(seconds)
