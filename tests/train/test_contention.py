import os
from pathlib import Path

import pytest

from clearzoom.train.contention import Cores, Warner, cores_now, others


def cores(wall_s, busy_s, own_s, count=2):
    return Cores(wall_s, busy_s, own_s, count)


def test_what_others_take_is_what_is_busy_and_not_ours():
    assert others(cores(5, 100, 50), cores(15, 120, 59)) == pytest.approx(1.1)
    # Counters of the system and of the process do not tick together.
    assert others(cores(0, 0, 0), cores(10, 19.9, 20)) == 0


def test_it_is_said_once_each_time():
    warner = Warner()
    moments = [
        (cores(0, 0, 0), None),
        (cores(10, 20, 20), None),  # all ours
        (cores(20, 40, 29), "other programs take 1.1 of 2 cores; training is slower"),
        (cores(30, 60, 38), None),  # said already
        (cores(40, 80, 58), None),  # they have stopped
        (cores(50, 100, 72), "other programs take 0.6 of 2 cores; training is slower"),
        (None, None),
        (cores(70, 140, 80), None),
    ]
    assert [warner.words(now) for now, _ in moments] == [words for _, words in moments]


def test_a_pinned_run_speaks_of_its_core():
    warner = Warner()
    warner.words(cores(0, 0, 0, 1))
    assert warner.words(cores(10, 10, 5, 1)) == (
        "other programs take 0.5 of 1 core; training is slower"
    )


@pytest.mark.skipif(not Path("/proc/stat").is_file(), reason="counters are those of Linux")
def test_own_work_is_counted_as_own():
    before = cores_now()
    while os.times().user < 0.5:
        sum(range(100_000))
    after = cores_now()
    assert after.own_s >= 0.4
    assert before.own_s <= after.own_s
    assert after.busy_s >= before.busy_s
    assert after.count == len(os.sched_getaffinity(0))
