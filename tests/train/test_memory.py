"""Memory that training keeps, and what a program gets back after it."""

import os
import sys
from pathlib import Path

import numpy as np
import pytest

from clearzoom.train.config_file import load_config
from clearzoom.train.memory import freed_memory_kept
from clearzoom.train.run import train

MB = 10**6
BLOCK_BYTES = 200 * MB
pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="glibc only")


def resident_bytes_at(address):
    """How much of a block's place is in memory, whatever other threads do meanwhile."""
    page_bytes = os.sysconf("SC_PAGE_SIZE")
    with Path("/proc/self/pagemap").open("rb") as pagemap:  # 8 bytes a page, the last bit: present
        pagemap.seek(address // page_bytes * 8)
        entries = np.frombuffer(pagemap.read(BLOCK_BYTES // page_bytes * 8), np.uint64)
    return int((entries >> np.uint64(63)).sum()) * page_bytes


def freed_block():
    """Where a large block lay that was filled and freed."""
    block = np.ones(BLOCK_BYTES // 8)
    address = block.ctypes.data
    assert resident_bytes_at(address) > 190 * MB
    return address


def test_freed_blocks_are_kept_inside_and_given_back_in_the_end():
    with freed_memory_kept():
        address = freed_block()
        assert resident_bytes_at(address) > 190 * MB
        assert freed_block() == address  # the same block again
    assert resident_bytes_at(address) < 20 * MB
    assert resident_bytes_at(freed_block()) < 20 * MB


@pytest.mark.train
def test_a_program_that_trained_gets_its_memory_back(config_file, tmp_path):
    train(load_config(config_file()), tmp_path / "run", time_budget_s=0)
    assert resident_bytes_at(freed_block()) < 20 * MB
