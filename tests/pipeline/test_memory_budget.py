"""What --memory promises: the process's peak, whatever the job is made of."""

import re
import shutil
import subprocess
import sys
from types import SimpleNamespace

import numpy as np
import pytest
from helpers.small_animations import gif
from PIL import Image
from typer.testing import CliRunner

import clearzoom.pipeline.memory_budget as budgets
from clearzoom.cli.main import app
from clearzoom.core.process_memory import machine_bytes, resident_bytes, watched
from clearzoom.core.targets import Wanted
from clearzoom.errors import OutputError, SizeError, worded
from clearzoom.io.picture import Picture
from clearzoom.io.writing import write_picture
from clearzoom.pipeline.job import plan_job
from clearzoom.pipeline.memory_budget import Budget
from clearzoom.pipeline.request import option_of
from clearzoom.pipeline.settings import Settings

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
    with pytest.raises(SizeError, match="give `memory_bytes` 670MB or more"):
        run_alone(budget, process, X4, 1000, most=400, after=300)
    for tile in (1000, 2000):  # the next picture is not waved through, nor tried in vain
        with pytest.raises(SizeError, match="give `memory_bytes` 670MB or more"):
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


def test_a_frame_of_an_animation_counts_before_work(tmp_path, photo):
    frames = [Image.fromarray(np.roll(photo, 3 * k, axis=1)) for k in range(10)]
    frames[0].save(tmp_path / "in.gif", save_all=True, append_images=frames[1:])
    for suffix in (".png", ".webp", ".gif"):
        target = tmp_path / f"o{suffix}"
        tight = Settings(Wanted(4), memory_bytes=30 * MB)  # less than any process here has
        with pytest.raises(SizeError, match="a frame of 10 takes more memory") as refused:
            plan_job(tmp_path / "in.gif", target, tight)
        enough = int(re.search(r"give `memory_bytes` (\d+)MB", str(refused.value))[1])
        plan_job(tmp_path / "in.gif", target, Settings(Wanted(4), memory_bytes=(enough + 10) * MB))


def test_what_cannot_fit_is_refused_in_the_plan(tmp_path):
    spot = {"px": np.ones((1, 1))}
    source, target = tmp_path / "in.gif", tmp_path / "new" / "o.png"
    source.write_bytes(gif((8000, 8000), *[spot] * 3))  # 108 bytes
    with pytest.raises(SizeError, match="more than 1,000,000"):
        plan_job(source, target, Settings(max_pixels=10**6), makes_folder=True)
    for suffix in (".png", ".gif"):
        tight = Settings(memory_bytes=500 * MB)
        with pytest.raises(SizeError, match="takes more memory than `memory_bytes`"):
            plan_job(source, target.with_suffix(suffix), tight, makes_folder=True)
    source.write_bytes(gif((1000, 1000), *[spot] * 400))  # 9 KB
    with pytest.raises(SizeError, match="400,000,000 px in 400 frames of 1000x1000"):
        plan_job(source, target, Settings(max_pixels=10**8), makes_folder=True)
    # Without --memory the machine counts: its memory for a frame, its disk for all of them.
    source.write_bytes(gif((8000, 8000), *[spot] * 3))
    scale = (machine_bytes() / (8000 * 8000 * 6)) ** 0.5
    with pytest.raises(SizeError, match="that this machine has"):
        plan_job(source, target, Settings(Wanted(scale)), makes_folder=True)
    source.write_bytes(gif((40, 40), *[spot] * 90_000))
    scale = (1.1 * shutil.disk_usage(tmp_path).free / (40 * 40 * 3 * 90_000)) ** 0.5
    with pytest.raises(OutputError, match=r"MB on the disk of .*make room"):
        plan_job(source, target, Settings(Wanted(scale)), makes_folder=True)
    source.write_bytes(gif((1, 60_000), *[spot] * 90))
    with pytest.raises(SizeError, match="90 frames of 240000 rows are more than"):
        plan_job(source, target, Settings(Wanted(4)), makes_folder=True)


def test_stills_that_no_machine_holds_are_refused_in_the_plan(tmp_path):
    write_picture(tmp_path / "in.png", Picture(np.zeros((600, 600, 3), np.uint8)))
    (tmp_path / "in.gif").write_bytes(gif((9000, 9000), {"px": np.ones((1, 1))}))
    tight = Settings(Wanted(2), memory_bytes=200 * MB)
    with pytest.raises(SizeError, match="GIF is decoded into memory at once, about 1296 MB here"):
        plan_job(tmp_path / "in.gif", tmp_path / "o.png", tight)
    assert machine_bytes() > 500 * MB


def test_a_preview_says_that_the_decoded_input_needs_the_memory(tmp_path):
    write_picture(tmp_path / "in.png", Picture(np.zeros((5000, 5000, 3), np.uint8)))
    # What this process has may become less at any time: the input alone must be too much.
    settings = Settings(Wanted(2), memory_bytes=70 * MB)
    with pytest.raises(SizeError, match=r"decoded input, 75 MB, in memory; give `memory_bytes`"):
        plan_job(tmp_path / "in.png", tmp_path / "o.png", settings, preview=(0, 0, 10, 10))


def test_the_plan_refuses_a_tile_that_does_not_fit(tmp_path, photo):
    (tmp_path / "in").mkdir()
    for name, part in (("a.png", photo[:40, :60]), ("b.png", photo[:90, :30])):
        write_picture(tmp_path / "in" / name, Picture(np.ascontiguousarray(part)))
    one = (tmp_path / "in" / "b.png", "-o", tmp_path / "b.png")
    many = (tmp_path / "in", "-o", tmp_path / "out")
    how = ("--model", "fast", "--scale", 8, "--memory")
    cannot = r"one tile needs more memory than that; give `memory_bytes` \d+0MB or more"
    of_command = worded(cannot, option_of)

    def run(name, *words):
        return CliRunner().invoke(app, [name, *map(str, words)])

    for name in ("plan", "enlarge"):
        with pytest.raises(SizeError, match=cannot):
            raise run(name, *one, *how, "1MB").exception
    failed = run("plan", *many, *how, "1MB")
    assert (failed.exit_code, len(re.findall(f"fails: {of_command}\n", failed.output))) == (3, 2)
    assert "0 pictures, 0.0 MP; 0 done before, 2 will fail" in failed.output
    assert "2 failed" in run("enlarge", *many, *how, "1MB").output
    assert len(re.findall(of_command, (tmp_path / "out" / "report.jsonl").read_text())) == 2
    # What the process takes already is not all: of each network a tile counts. In a process of its
    # own, as a tile would fit into memory that earlier tests have left to the C library here.
    script = (
        "from pathlib import Path\n"
        "from clearzoom import Settings, Wanted\n"
        "from clearzoom.pipeline.job import plan_job\n"
        "from clearzoom.core.process_memory import resident_bytes\n"
        "from clearzoom.pipeline.memory_budget import Budget\n"
        "from clearzoom.pipeline.memory_trial import try_tiles\n"
        f"paths = Path({str(one[0])!r}), Path({str(one[2])!r})\n"
        "job = plan_job(*paths, Settings(Wanted(8), 'fast'))\n"
        "try_tiles(job, Budget(resident_bytes() + 1))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert re.search(f"SizeError: {cannot}", done.stderr), done.stderr
    for words in (one, many):
        assert run("plan", *words, *how, "30GB").exit_code == 0
    assert not (tmp_path / "b.png").exists()


def peak_of(*arguments):
    script = (
        "from clearzoom.core.process_memory import peak_bytes\n"
        "from clearzoom.cli.main import main\n"
        "try: main()\n"
        "finally: print('peak', peak_bytes())"
    )
    program = [sys.executable, "-c", script, *map(str, arguments)]
    done = subprocess.run(program, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return int(re.search(r"peak (\d+)", done.stdout)[1])


@pytest.mark.slow
def test_the_limit_holds_in_a_folder_and_in_a_chain(tmp_path, photo):
    (tmp_path / "in").mkdir()
    for index, side in enumerate((60, 140, 150)):
        part = np.ascontiguousarray(np.roll(photo, index, axis=1)[:side, :side])
        write_picture(tmp_path / "in" / f"{index}.png", Picture(part))
    how = ("-o", tmp_path / "out", "--scale", 8, "--model", "fast", "--memory")
    assert peak_of("enlarge", tmp_path / "in", *how, "700MB") <= 700 * MB
