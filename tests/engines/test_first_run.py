"""The first two tiles of a process run at once, and neither waits for the other."""

import subprocess
import sys

import pytest

pytestmark = pytest.mark.slow

_TWO_AT_ONCE = """
import threading
import numpy as np
from clearzoom.engines.openvino import load_openvino
from clearzoom.weights import find

run, both = load_openvino(find("photo", 4)), threading.Barrier(2)
def first():
    both.wait()
    run(np.zeros((1, 3, 24, 24), np.float32))
threads = [threading.Thread(target=first) for _ in range(2)]
for thread in threads: thread.start()
for thread in threads: thread.join()
"""


@pytest.mark.parametrize("process", range(4))  # without care about one in four hung for ever
def test_two_threads_run_openvino_for_the_first_time(process):
    subprocess.run([sys.executable, "-c", _TWO_AT_ONCE], check=True, timeout=120)
