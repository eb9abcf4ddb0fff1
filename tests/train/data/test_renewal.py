"""Versions that are replaced while training goes on: what a step sees depends on the step alone."""

import threading

import numpy as np
import pytest
import torch

from clearzoom.core.resize import reduce_for_protocol
from clearzoom.train.data import renewal
from clearzoom.train.data.degradation import Degradation
from clearzoom.train.data.degrade import degrade, fault_level
from clearzoom.train.data.resident import Pairs

CPU = torch.device("cpu")
SEED = 9


def load(pictures, versions=3, every=4):
    wanted = Degradation(versions=versions, redraw_every_steps=every)
    return Pairs.load(pictures / "train", 2, 8, CPU, None, wanted, SEED)


def seen(pairs, steps):
    return [torch.cat([part.flatten() for part in pairs.batch(s, SEED, 4, 8)]) for s in steps]


def test_the_slots_of_a_step_are_those_of_its_numbers(pictures):
    pairs = load(pictures)
    hr = pairs.hr.permute(0, 2, 3, 1).numpy()
    for step in (0, 3, 4, 9, 12, 25):
        pairs.prepare(step)
        for number in range(step // 4, step // 4 + 3):
            for i, picture in enumerate(hr):
                whole = np.ascontiguousarray(picture)
                expected = degrade(whole, 2, pairs.renewal._degradation, (SEED, number, i))
                lr = pairs.lr[number % 3, i].permute(1, 2, 0).numpy()
                assert np.array_equal(lr, expected)
                level = fault_level(expected, reduce_for_protocol(whole, 2))
                assert float(pairs.level[number % 3, i]) == pytest.approx(level, abs=0.03)


@pytest.mark.slow
@pytest.mark.parametrize("every", [0, 1, 4])
def test_a_break_anywhere_changes_nothing(pictures, every):
    unbroken = seen(load(pictures, every=every), range(14))
    for stop in (1, 4, 7, 12):
        rest = seen(load(pictures, every=every), range(stop, 14))
        assert all(torch.equal(a, b) for a, b in zip(unbroken[stop:], rest, strict=True))


def test_without_renewal_the_versions_stay_and_with_it_they_go(pictures):
    for every, same in ((0, True), (4, False)):
        pairs = load(pictures, every=every)
        pairs.prepare(0)
        before = pairs.lr.clone()
        pairs.prepare(100)
        assert torch.equal(before, pairs.lr) is same


def test_the_next_version_is_drawn_meanwhile(pictures):
    pairs = load(pictures, every=4)
    pairs.prepare(0)
    drawing = pairs.renewal._next
    assert drawing.number == 3
    drawing.wait()
    pairs.prepare(4)
    assert np.array_equal(pairs.lr[0].numpy(), drawing.lr)
    assert pairs.renewal._next.number == 4


def test_a_fault_in_the_background_ends_the_run(pictures, monkeypatch):
    pairs = load(pictures, every=4)
    pairs.prepare(0)
    pairs.renewal._next.wait()

    def broken(*_):
        raise MemoryError("no room for a picture")

    monkeypatch.setattr(renewal, "degrade", broken)
    pairs.prepare(4)  # was drawn before
    with pytest.raises(MemoryError, match="no room"):
        pairs.prepare(8)


def test_drawing_stops_when_nobody_wants_it_any_more(pictures, monkeypatch):
    begun, go_on = threading.Event(), threading.Event()

    def slow(hr, scale, *_):
        begun.set()
        assert go_on.wait(60)
        drawn.append(1)
        return reduce_for_protocol(hr, scale)

    drawn = []
    monkeypatch.setattr(renewal, "_TOGETHER", 1)
    pairs = load(pictures, every=4)
    pairs.prepare(0)
    pairs.renewal._next.wait()
    monkeypatch.setattr(renewal, "degrade", slow)
    pairs.prepare(4)
    assert begun.wait(60)
    pool, threads = pairs.renewal._pool, pairs.renewal._threads
    del pairs
    go_on.set()
    pool.shutdown(wait=True)  # as at the end of the program: what is queued up is still done
    assert len(drawn) <= threads
