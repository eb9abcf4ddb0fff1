"""How much can be inferred in time: measured once, and kept by every size that is asked for."""

import dataclasses

import numpy as np
import pytest

from clearzoom.core.box import Box
from clearzoom.engines.network import load_network
from clearzoom.server.iiif.limits import Limits
from clearzoom.server.locks import KeyedLock
from clearzoom.server.tiles import pace as pace_module
from clearzoom.server.tiles.pace import Pace

WORK = {2: 3e5, 4: 3e5}
"""Networks with equal work."""


@pytest.fixture
def network():
    return load_network("fast", 4)


def make(tmp_path, answer_s=60.0):
    return Pace(tmp_path / "paces", KeyedLock(tmp_path / "locks"), answer_s)


def always():
    """Somebody waits."""


def test_a_model_is_measured_once_by_all_processes(tmp_path, network):
    runs = []

    def run(x):
        runs.append(x.shape)
        return np.zeros((1, 3, x.shape[2] * 4, x.shape[3] * 4), np.float32)

    counted = dataclasses.replace(network, run=run)
    first, second = make(tmp_path), make(tmp_path)
    assert not first.is_known("fast")
    first.measure("fast", counted, always)
    measured = len(runs)
    assert measured > 1
    second.measure("fast", counted, always)
    assert len(runs) == measured
    assert first.steps("fast", WORK) == second.steps("fast", WORK)


def test_steps_count_what_each_network_of_a_chain_enlarges(tmp_path, network, monkeypatch):
    monkeypatch.setattr(pace_module, "_px_per_s", lambda network: 1e6)
    pace = make(tmp_path, answer_s=80.0)
    pace.measure("fast", network, always)
    steps = dict(pace.steps("fast", WORK))
    assert sorted(steps) == [2, 4, 8, 16, 32, 64]
    assert steps[2] == steps[4] == 1e7  # one network, an eighth of 80 s
    assert steps[8] == 1e7 / (1 + 4)  # x2, then x4
    assert steps[64] == 1e7 / (1 + 16 + 256)


def test_a_slow_machine_still_makes_tiles(tmp_path, network, monkeypatch):
    monkeypatch.setattr(pace_module, "_px_per_s", lambda network: 10.0)
    pace = make(tmp_path)
    pace.measure("fast", network, always)
    assert dict(pace.steps("fast", WORK))[4] == 1e6


def test_what_was_measured_is_what_a_tile_takes(tmp_path, network):
    pace = make(tmp_path, answer_s=4.0)
    pace.measure("fast", network, always)
    px = dict(pace.steps("fast", {4: 3e5}))[4]  # in a second
    assert 1e3 < px < 1e9


def test_limits_of_a_part():
    limits = Limits(8192, 16_000_000, 64.0, ((2, 1e6), (4, 1e6), (8, 2e5), (16, 1e5)))
    assert limits.of_part(Box(0, 0, 300, 300), 1).zoom == 16
    assert limits.of_part(Box(0, 0, 1000, 1000), 1).zoom == 4
    assert limits.of_part(Box(0, 0, 1001, 1000), 1).zoom == 1
    assert limits.of_part(Box(0, 0, 1001, 1000), 4).zoom == 4  # 16 times fewer px of the original
    assert limits.of_part(Box(0, 0, 4004, 4000), 4).zoom == 0.25
    assert (limits.area_at(1), limits.area_at(4), limits.area_at(16)) == (16e6, 16e6, 16e6)
    slow = Limits(8192, 16_000_000, 64.0, ((2, 1e4), (4, 1e4)))
    assert (slow.area_at(1), slow.area_at(4)) == (16_000_000, 160_000)
