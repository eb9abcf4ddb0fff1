"""The products of a reduction and its enlargement: exact, and in the thread that asks for them."""

import os
import subprocess
import sys

import numpy as np
import pytest

from clearzoom.core.back_projection import along_rows, enlarged, reduced
from clearzoom.core.resize import resize_matrix

_SCRIPT = """
import os, threading
import numpy as np
from clearzoom.core.back_projection import enlarged, reduced

def ticks_of_others():
    own, total = str(threading.get_native_id()), 0
    for task in os.listdir("/proc/self/task"):
        if task != own:
            words = open(f"/proc/self/task/{task}/stat").read().rsplit(")", 1)[1].split()
            total += int(words[11]) + int(words[12])
    return total

lr = np.random.default_rng(0).random((3, 320, 320), dtype=np.float32)
sr = enlarged(lr, 4)  # the matrices are made once
before = ticks_of_others()
for _ in range(40):
    enlarged(reduced(sr, 4), 4)
print(len(os.listdir("/proc/self/task")), ticks_of_others() - before)
"""


@pytest.mark.parametrize(("outputs", "inputs"), [(130, 520), (520, 130), (7, 7)])
def test_a_product_in_blocks_is_the_product(outputs, inputs):
    matrix = resize_matrix(inputs, outputs).astype(np.float32)
    image = np.random.default_rng(1).random((3, inputs, 1301), dtype=np.float32)
    expected = matrix.astype(np.float64) @ image.astype(np.float64)
    np.testing.assert_allclose(along_rows(matrix, image), expected, atol=1e-6)


def test_reduction_inverts_enlargement():
    lr = np.random.default_rng(2).random((3, 40, 50), dtype=np.float32)
    np.testing.assert_allclose(reduced(enlarged(lr, 3), 3), lr, atol=1e-5)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells the time of each thread")
def test_no_thread_but_the_calling_one_computes():
    # Threads that wait for each other without sleeping cost 4 times the time beside other programs.
    environment = {**os.environ, "OPENBLAS_NUM_THREADS": "2"}
    done = subprocess.run(
        [sys.executable, "-c", _SCRIPT],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    threads, ticks = map(int, done.stdout.split())
    if threads == 1:
        pytest.skip("OpenBLAS starts no second thread on a machine with one core")
    assert ticks <= 10  # some end a first wait; where products are shared, there are hundreds
