import threading
import time

import numpy as np
import pytest

from clearzoom.engines.batch_size import without_batch_size
from clearzoom.engines.network import load_network
from clearzoom.engines.together import Together, together
from clearzoom.errors import WeightsError
from clearzoom.weights import find


def ask_at_once(shared, windows):
    """Gives the answers; nothing runs before all threads have asked."""
    answers = [None] * len(windows)

    def ask(index):
        answers[index] = shared(windows[index])

    threads = [threading.Thread(target=ask, args=(i,)) for i in range(len(windows))]
    with shared._turn:
        for thread in threads:
            thread.start()
        while len(shared._waiting) < len(windows):
            time.sleep(0.001)
    for thread in threads:
        thread.join()
    return answers


@pytest.mark.parametrize("engine", ["onnxruntime", "openvino", "torch"])
def test_what_runs_together_is_equal_to_the_bit(random, engine):
    network = load_network("photo", 4, engine)
    shared = together(network, find("photo", 4))
    assert isinstance(shared.run, Together)
    shapes = [(24, 24)] * 8 + [(16, 40)] * 4
    windows = [random.random((1, 3, *shape), dtype=np.float32) - 0.5 for shape in shapes]
    wanted = [network.run(x) for x in windows]
    for _ in range(6):
        answers = ask_at_once(shared.run, windows)
        assert all(map(np.array_equal, answers, wanted))
    assert shared.run.takes_batches
    if engine != "torch":  # torch's batches differ at some sizes, and are found out
        assert shared.run.batches > 0


def test_a_network_that_takes_no_batches_runs_alone(random, small_weights):
    network = load_network(str(small_weights), 2, "onnxruntime")
    # Without the lift of its stated batch size it refuses two.
    shared = together(network, None)
    windows = [random.random((1, 3, 9, 9), dtype=np.float32) - 0.5 for _ in range(8)]
    wanted = [network.run(x) for x in windows]
    for _ in range(3):
        assert all(map(np.array_equal, ask_at_once(shared.run, windows), wanted))
    assert not shared.run.takes_batches


def test_a_network_whose_batches_differ_runs_alone(random):
    def run(x):
        return x + np.float32(len(x) - 1)

    shared = Together(run, run, 10_000)
    windows = [random.random((1, 3, 9, 9), dtype=np.float32) for _ in range(8)]
    for _ in range(20):
        assert all(map(np.array_equal, ask_at_once(shared, windows), windows))
    assert shared.batches == 0


def test_an_error_reaches_all_that_wait(random):
    def run(x):
        raise WeightsError("broken")

    shared = Together(run, run, 10_000)
    with pytest.raises(WeightsError, match="broken"):
        shared(random.random((1, 3, 9, 9), dtype=np.float32))


def test_only_the_stated_batch_is_lifted():
    content = find("photo", 2).read_bytes()
    freed = without_batch_size(content)
    changed = [i for i, (a, b) in enumerate(zip(content, freed, strict=True)) if a != b]
    assert len(changed) == 4  # two bytes each of input and output
    with pytest.raises(WeightsError):
        without_batch_size(content[:-20])
