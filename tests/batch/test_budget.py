"""What --memory promises: the process's peak, whatever the job is made of."""

import re
import subprocess
import sys
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

import clearzoom.batch.budget as budgets
from clearzoom.batch.budget import Budget
from clearzoom.batch.job import plan_job, run_job
from clearzoom.batch.memory import resident_bytes, watched
from clearzoom.batch.settings import Settings
from clearzoom.core.targets import Wanted
from clearzoom.errors import SizeError
from clearzoom.io.picture import Picture
from clearzoom.io.writing import write_picture

MB = 10**6


@pytest.fixture
def process(monkeypatch):
    """A process of which the test says what it takes: now, and at most during the next tile."""
    takes = SimpleNamespace(now=100 * MB, most=0)
    monkeypatch.setattr(budgets, "resident_bytes", lambda: takes.now)

    class Watching:
        def __enter__(self):
            return SimpleNamespace(most_bytes=takes.most)

        def __exit__(self, *raised):
            pass

    monkeypatch.setattr(budgets, "watched", Watching)
    return takes


def run_alone(budget, process, network, tile, *, most, after):
    process.most = most * MB
    with budget.trial(network, tile):
        process.now = after * MB


X2, X4 = (SimpleNamespace(sha256=name, scale=int(name)) for name in ("2", "4"))


def test_a_later_picture_is_not_refused_for_an_earlier_peak(process):
    budget = Budget(500 * MB)
    assert budget.wants_trial(X4, 1000)
    run_alone(budget, process, X4, 1000, most=250, after=200)
    assert budget.in_flight(X4) == 1  # 100 + 3.5 * 150 are more
    assert not budget.wants_trial(X4, 1000)
    # Of a larger tile as much is known as if it had come first: what the small one left counts not.
    assert budget.wants_trial(X4, 2000)
    run_alone(budget, process, X4, 2000, most=300, after=250)
    run_alone(budget, process, X4, 3000, most=300, after=250)


def test_the_second_network_of_a_chain_is_measured_too(process):
    budget = Budget(500 * MB)
    run_alone(budget, process, X2, 1000, most=150, after=130)
    assert budget.in_flight(X2) == 2
    assert budget.wants_trial(X4, 1000)
    with pytest.raises(SizeError, match="give --memory 670MB or more"):
        run_alone(budget, process, X4, 1000, most=400, after=300)
    for tile in (1000, 2000):  # the next picture is not waved through, nor tried in vain
        with pytest.raises(SizeError, match="give --memory 670MB or more"):
            budget.wants_trial(X4, tile)


def test_memory_that_other_things_take_leaves_one_tile_at_a_time(process):
    budget = Budget(500 * MB)
    run_alone(budget, process, X2, 1000, most=200, after=150)
    assert budget.in_flight(X2) == 2
    process.now = 250 * MB
    assert budget.in_flight(X2) == 1
    assert Budget(None).in_flight(X2) == 2


def test_a_peak_below_earlier_ones_is_seen():
    np.ones(300 * MB // 8)
    before = resident_bytes()
    with watched() as seen:
        for _ in range(20):
            np.ones(100 * MB // 8)
    assert 80 * MB < seen.most_bytes - before < 150 * MB


def test_all_frames_of_an_animation_count_before_work(tmp_path, photo):
    frames = [Image.fromarray(np.roll(photo[:60, :80], 3 * k, axis=1)) for k in range(10)]
    frames[0].save(tmp_path / "in.gif", save_all=True, append_images=frames[1:])
    roomy = Settings(Wanted(4), memory_bytes=4000 * MB)
    plan_job(tmp_path / "in.gif", tmp_path / "o.png", roomy)
    tight = Settings(Wanted(4), memory_bytes=resident_bytes() + 5 * MB)
    with pytest.raises(SizeError, match=r"10 frames are in memory at once; give --memory \d+MB"):
        plan_job(tmp_path / "in.gif", tmp_path / "o.png", tight)


def test_a_preview_says_that_the_decoded_input_needs_the_memory(tmp_path):
    write_picture(tmp_path / "in.png", Picture(np.zeros((5000, 5000, 3), np.uint8)))
    settings = Settings(Wanted(2), memory_bytes=resident_bytes() + 30 * MB)
    job = plan_job(tmp_path / "in.png", tmp_path / "o.png", settings)
    with pytest.raises(SizeError, match=r"the decoded input, 75 MB, in memory; give --memory"):
        run_job(job, preview=(0, 0, 10, 10))


def peak_of(*arguments):
    script = (
        "from clearzoom.batch.memory import peak_bytes\n"
        "from clearzoom.cli.main import main\n"
        "try: main()\n"
        "finally: print('peak', peak_bytes())"
    )
    program = [sys.executable, "-c", script, *map(str, arguments)]
    done = subprocess.run(program, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return int(re.search(r"peak (\d+)", done.stdout)[1])


def test_the_limit_holds_in_a_folder_and_in_a_chain(tmp_path, photo):
    (tmp_path / "in").mkdir()
    for index, side in enumerate((60, 140, 150)):
        part = np.ascontiguousarray(np.roll(photo, index, axis=1)[:side, :side])
        write_picture(tmp_path / "in" / f"{index}.png", Picture(part))
    how = ("-o", tmp_path / "out", "--scale", 8, "--model", "fast", "--memory")
    assert peak_of("enlarge", tmp_path / "in", *how, "700MB") <= 700 * MB
