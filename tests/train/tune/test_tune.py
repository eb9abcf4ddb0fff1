"""Tuning on a person's own pictures, with tiny budgets; once by the command as a process."""

import json
import os
import re
import signal
import subprocess
import sys

import numpy as np
import pytest

from clearzoom.io.reading import read_picture
from clearzoom.io.writing import write_rgb8
from clearzoom.weights.card import read_card

pytestmark = pytest.mark.train


@pytest.fixture
def mine(tmp_path, photo):
    folder = tmp_path / "My Scans"
    folder.mkdir()
    for i in range(3):
        write_rgb8(folder / f"{i}.png", np.ascontiguousarray(photo[50 * i :, 90 * i :][:200, :260]))
    return folder


@pytest.fixture
def tune(here, mine, own_folder, tmp_path):
    def run(*arguments):
        return here("tune", mine, "-o", tmp_path / "run", *arguments)

    return run


def test_what_got_better_is_registered_and_used(tune, here, own_folder, tmp_path, photo):
    done = tune("--from", "photo", "--steps", 20)
    assert done.returncode == 0, done.stderr
    assert "3 pictures: 3 crops to learn from, 3 held back" in done.stdout
    assert "photo-my-scans x4 is registered (clean +" in done.stdout
    card = read_card(own_folder / "photo-my-scans-x4.json")
    assert card.training.steps == 20
    assert card.training.data == "My Scans: 3 crops of 3 pictures"
    assert card.training.started_from.startswith("photo-x4.safetensors, sha256 ")
    assert card.training.config["degradation"]["quality"] == [25, 97]
    scores = {(row.data, row.model): row for row in card.scores}
    for data in ("held-back", "held-back, LR with faults"):
        assert scores[data, "photo-my-scans"].psnr_db > scores[data, "photo"].psnr_db - 0.1
        assert scores[data, "photo"].psnr_db > scores[data, "bicubic"].psnr_db
        words = f"{scores[data, 'photo'].psnr_db:.2f} / {scores[data, 'photo'].ssim:.4f}"
        assert words in done.stdout
    crops = read_picture(tmp_path / "run" / "before-after.png").samples
    assert crops.shape[1] > 4 * 32
    assert {path.name for path in own_folder.iterdir()} == {
        f"photo-my-scans-x4{end}" for end in (".json", ".onnx", ".safetensors", "-level.onnx")
    }
    write_rgb8(tmp_path / "in.png", photo[:20, :24])
    options = ("--model", "photo-my-scans", "--engine")
    for engine in ("auto", "torch"):
        target = tmp_path / f"{engine}.png"
        done = here("enlarge", tmp_path / "in.png", "-o", target, *options, engine)
        assert done.returncode == 0, done.stderr
        assert read_picture(target).samples.shape == (80, 96, 3)
    (listed,) = json.loads(here("models", "--json").stdout)["own"]
    assert listed["name"] == "photo-my-scans"
    # The name is taken now, and the folder holds a run.
    assert tune("--steps", 20).returncode == 5
    other = tune("--steps", 20, "--name", "other")
    assert (other.returncode, "--resume" in other.stderr) == (4, True)


def test_what_got_worse_is_not_registered_and_kept(tune, here, own_folder, tmp_path):
    arguments = ("--from", "fast", "--scale", 2, "--name", "worse")
    arguments += ("--steps", 8, "--learning-rate", 0.02)
    done = tune(*arguments)
    assert done.returncode == 8
    error = done.stderr.splitlines()[-1]
    assert error.startswith("error[training]: tuning made it no better on what was held back")
    assert "clean -" in error
    assert not own_folder.exists()
    again = tune(*arguments, "--resume")  # all is done: it is only measured again
    assert (again.returncode, again.stderr.splitlines()[-1]) == (8, error)
    onnx = tmp_path / "run" / "model" / "worse-x2.onnx"
    assert f"clearzoom models add {onnx}" in error
    assert here("models", "add", onnx).returncode == 0
    assert (own_folder / "worse-x2.safetensors").is_file()


def test_what_breaks_down_says_so(tune, own_folder):
    done = tune("--scale", 2, "--from", "fast", "--steps", 8, "--learning-rate", 1)
    assert done.returncode == 8
    error = done.stderr.splitlines()[-1]
    assert error.startswith("error[training]:")
    assert "lower --learning-rate than 1" in error
    assert not own_folder.exists()


def test_interrupted_it_goes_on_and_gives_the_same(
    tune, here, mine, own_folder, tmp_path, monkeypatch
):
    arguments = ("--steps", "40", "--from", "fast", "--scale", "2", "--name", "a")
    whole = tune(*arguments)
    assert whole.returncode in (0, 8), whole.stderr
    model = tmp_path / "run" / "model" / "a-x2.onnx"
    expected = model.read_bytes()
    monkeypatch.setenv("CLEARZOOM_DATA", str(tmp_path / "other data"))
    run = tmp_path / "stopped"
    program = [sys.executable, "-m", "clearzoom", "tune", str(mine), "-o", str(run), *arguments]
    started = subprocess.Popen(program, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    for line in started.stderr:
        if line.startswith("step 8  validation"):
            break
    os.kill(started.pid, signal.SIGINT)
    _, said = started.communicate(timeout=120)
    assert started.returncode == 8, said
    assert "add --resume to go on" in said.splitlines()[-1]
    again = ("tune", mine, "-o", run, *arguments, "--resume")
    changed = here(*again, "--learning-rate", "0.1")
    assert (changed.returncode, "started with learning_rate" in changed.stderr) == (6, True)
    ended = here(*again)
    assert ended.returncode == whole.returncode, ended.stderr
    assert (run / "model" / "a-x2.onnx").read_bytes() == expected


def test_a_budget_of_time_becomes_steps(tune):
    done = tune("--from", "fast", "--scale", 2, "--name", "timed", "--time-budget", "4s")
    assert done.returncode in (0, 8), done.stderr
    assert "steps from fast-x2.safetensors" in done.stdout


def test_wishes_that_cannot_be_had_are_one_line(mine, here, tmp_path, own_folder, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty").mkdir()
    bad = {
        "no folder": (("tune", tmp_path / "none"), 3),
        "empty": (("tune", tmp_path / "empty", "--steps", 1), 3),
        "shipped": (("tune", tmp_path / "My Scans", "--name", "photo", "--steps", 1), 5),
        "unknown": (("tune", tmp_path / "My Scans", "--from", "none", "--steps", 1), 5),
        "texture": (("tune", tmp_path / "My Scans", "--from", "photo-crisp"), 5),
        "nothing there": (("tune", tmp_path / "My Scans", "-o", tmp_path / "r", "--resume"), 3),
    }
    for case, (arguments, status) in bad.items():
        done = here(*arguments)
        assert (done.returncode, done.stderr.count("\n")) == (status, 1), (case, done.stderr)
        assert "Traceback" not in done.stderr, case
    assert not own_folder.exists()


def test_without_torch_it_names_the_command(command, tmp_path, mine):
    (tmp_path / "torch.py").write_text("raise ModuleNotFoundError('no torch', name='torch')")
    path = os.pathsep.join(filter(None, [str(tmp_path), os.environ.get("PYTHONPATH")]))
    done = command("tune", mine, env=os.environ | {"PYTHONPATH": path})
    assert (done.returncode, done.stderr.count("\n")) == (7, 1)
    assert re.search(r"pip install .*\[train\]'$", done.stderr.strip())
