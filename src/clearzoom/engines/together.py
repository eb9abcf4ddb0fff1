"""Run tiles of several pictures as one: where threads ask at once for windows of one size."""

import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from clearzoom.engines.batch_size import without_batch_size
from clearzoom.engines.foreign import Run, Tensor
from clearzoom.engines.network import Network
from clearzoom.engines.onnxruntime import load_onnxruntime
from clearzoom.engines.openvino import load_openvino


@dataclass(eq=False)
class _Asked:
    x: Tensor
    answer: "Future[Tensor]" = field(default_factory=Future)


class Together:
    """A network's ``run`` that threads share: what waits while it runs goes together next.

    Nothing waits for company. The answer to each is the one that it had got alone, to the bit: the
    first time that so many windows of a size run as one, they are run one by one as well. Where the
    two differ (torch's do at some sizes), or a network takes no batches, that is not tried again.
    """

    def __init__(self, run: Run, batch_run: Run, most_px: int) -> None:
        self._run, self._batch_run, self._most_px = run, batch_run, most_px
        self._waiting: deque[_Asked] = deque()
        self._mutex, self._turn = threading.Lock(), threading.Lock()
        self._same: dict[tuple[int, ...], bool] = {}
        self.takes_batches = True
        self.batches = 0

    def __call__(self, x: Tensor) -> Tensor:
        """Run one window.

        Args:
            x: (1, 3, H, W) float32, as ``Network`` says.

        Returns:
            (1, 3, scale * H, scale * W).
        """
        asked = _Asked(x)
        with self._mutex:
            self._waiting.append(asked)
        with self._turn:
            if not asked.answer.done():
                group = self._next_group(asked)
                try:
                    answers = self._answers([each.x for each in group])
                except BaseException as error:
                    for each in group:
                        each.answer.set_exception(error)
                else:
                    for each, answer in zip(group, answers, strict=True):
                        each.answer.set_result(answer)
        return asked.answer.result()

    def _next_group(self, first: _Asked) -> list[_Asked]:
        """What waits and is of first's size, with it; no more px than one full tile has."""
        shape = first.x.shape
        most = max(1, self._most_px // (shape[2] * shape[3])) if self.takes_batches else 1
        with self._mutex:
            others = [each for each in self._waiting if each.x.shape == shape and each is not first]
            group = [first, *others[: most - 1]]
            for each in group:
                self._waiting.remove(each)
        return group

    def _answers(self, given: list[Tensor]) -> list[Tensor]:
        if len(given) == 1:
            return [self._run(given[0])]
        batch = np.concatenate(given)
        same = self._same.get(batch.shape)
        if same:
            self.batches += 1
            return list(np.split(self._batch_run(batch), len(given)))
        alone = [self._run(x) for x in given]
        if same is None:
            try:
                answer = self._batch_run(batch)
            except Exception:  # of any engine
                self.takes_batches = False
            else:
                self._same[batch.shape] = np.array_equal(answer, np.concatenate(alone))
        return alone


def together(network: Network, weights: Path | None) -> Network:
    """Let threads that run a network at once share its runs.

    Args:
        network: as loaded.
        weights: its ONNX file, if that is what runs, in fp32; released ones state a batch of one
            picture, which is lifted in memory.
    """
    batch_run = network.run
    loads: dict[str, Callable[[bytes], Run]] = {
        "onnxruntime fp32": load_onnxruntime,
        "openvino fp32": load_openvino,
    }
    if weights is not None and network.engine in loads:
        try:
            batch_run = loads[network.engine](without_batch_size(weights.read_bytes()))
        except Exception:  # of any engine; the first try of a batch then shows that it takes none
            batch_run = network.run
    side = network.tile_px + 2 * network.halo_px
    return replace(network, run=Together(network.run, batch_run, side * side))
