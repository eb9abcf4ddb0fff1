"""Memory that training keeps, and what a program gets back after it."""

import sys

import numpy as np
import pytest

from clearzoom.batch.memory import give_back, resident_bytes
from clearzoom.train.config import load_config
from clearzoom.train.memory import freed_memory_kept
from clearzoom.train.run import train

MB = 10**6
pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="glibc only")


def grown_after_a_freed_block():
    before = resident_bytes()
    np.ones(200 * MB // 8)
    return resident_bytes() - before


def test_freed_blocks_are_kept_inside_and_given_back_in_the_end():
    give_back()  # else a block that others freed could serve
    before = resident_bytes()
    with freed_memory_kept():
        assert grown_after_a_freed_block() > 150 * MB
        assert grown_after_a_freed_block() < 20 * MB  # the same block again
    assert resident_bytes() - before < 20 * MB
    assert grown_after_a_freed_block() < 20 * MB


def test_a_program_that_trained_gets_its_memory_back(config_file, tmp_path):
    train(load_config(config_file()), tmp_path / "run", time_budget_s=0)
    before = resident_bytes()
    held = np.ones(200 * MB // 8)
    assert resident_bytes() - before > 150 * MB  # not served from what training left behind
    del held
    assert resident_bytes() - before < 20 * MB
