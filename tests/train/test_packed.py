"""Running a pack: shares of the time, falling back, and what it leaves."""

import os
import shutil
import subprocess
import sys
import threading
import time
import venv
from importlib.metadata import distribution
from pathlib import Path

import pytest
import torch
from safetensors import safe_open

from clearzoom.errors import OutputError, TrainingError
from clearzoom.train import packed
from clearzoom.train.checkpoint import BEST, LAST, load_checkpoint
from clearzoom.train.compiling import compiling_helps
from clearzoom.train.pack import PackRequest, pack
from clearzoom.train.pack_wheels import THERE, download, missing, needs_of
from clearzoom.train.packed import NEWEST, Newest, Pack, run_all
from clearzoom.train.run import train

pytestmark = pytest.mark.train


@pytest.fixture
def small_pack(config_file, tmp_path):
    """Packs configurations of these names; gives the pack."""

    def make(*names, parts=1, **more):
        configs = [
            config_file(f"{name}.toml", schedule="constant", max_steps=None) for name in names
        ]
        pack(
            PackRequest(configs, more.get("shares", {}), more.get("inits", {}), parts=parts),
            tmp_path / "p",
        )
        folder = tmp_path / "p" if parts == 1 else tmp_path / "p" / "part-1"
        return Pack(folder, tmp_path / "work", tmp_path / "out")

    return make


@pytest.fixture
def tries(monkeypatch):
    """Trainings that are asked for; each calls what is put into the list ``answers``."""
    seen = []

    def fake(config, folder, **options):
        seen.append((config, folder, options))
        answer = answers.pop(0) if answers else None
        if isinstance(answer, Exception):
            raise answer
        plain = config.model_copy(update={"run": config.run.model_copy(update={"compile": False})})
        return train(plain, folder, **options | {"time_budget_s": 0.0, "finish": None})

    answers = []
    monkeypatch.setattr(packed, "train", fake)
    monkeypatch.setattr(packed, "compiling_helps", lambda _config, _limit_s: (True, "helps"))
    return seen, answers


def test_each_run_has_its_share_of_what_is_left_and_ends_with_a_decay(small_pack, tries):
    where = small_pack("one", "two", "three", shares={"two": 3.0}, inits={"three": "two"})
    seen, _ = tries
    began_s = time.monotonic()
    assert run_all(where, began_s + 1000) == []
    budgets = [options["time_budget_s"] for _, _, options in seen]
    left = 1000 - (time.monotonic() - began_s)  # trainings took some of it
    for budget, share in zip(budgets, (1 / 5, 3 / 4, 1), strict=True):
        assert 0.9 * left * share * 0.9 < budget < 1000 * share
    assert [o["finish"].seconds / o["time_budget_s"] for _, _, o in seen] == pytest.approx(
        [0.2] * 3
    )
    assert seen[2][2]["initial_weights"] == where.output / "two" / BEST


def test_it_falls_back_from_what_the_machine_cannot_do(small_pack, tries):
    where = small_pack("one")
    seen, answers = tries
    answers += [RuntimeError("no compiler"), torch.OutOfMemoryError("too large")]
    assert run_all(where, time.monotonic() + 100) == []
    runs = [config.run for config, _, _ in seen]
    assert [run.compile for run in runs] == [True, False, False]
    assert (runs[2].precision, runs[2].memory_format) == ("fp32", "contiguous")


def test_a_run_that_fails_does_not_stop_the_others(small_pack, tries):
    where = small_pack("one", "two", "three", inits={"three": "one"})
    _, answers = tries
    answers += [TrainingError("the loss became nan")]
    assert run_all(where, time.monotonic() + 100) == ["one", "three"]
    assert not (where.output / "one" / BEST).exists()
    assert (where.output / "two" / BEST).is_file()


def test_results_are_a_run_s_folder_as_at_home(small_pack, tries, pictures):
    where = small_pack("one", parts=2)
    assert run_all(where, time.monotonic() + 100) == []
    assert {path.name for path in (where.output / "one").iterdir()} == {BEST, LAST, "metrics.csv"}
    data = load_checkpoint(where.output / "one" / LAST)["config"]["data"]
    assert [each["folder"] for each in data["train"]] == [str(pictures / "train")]
    assert data["validation"] == [str(pictures / "val")]


def test_a_missing_part_is_named(small_pack, tries, capsys):
    where = small_pack("one", parts=2)
    shutil.rmtree(where.folder.parent / "part-2")
    arguments = [where.folder, where.work, where.output, "100s", time.time()]
    assert packed.main([str(each) for each in arguments]) == 1
    assert "put all 2 parts side by side" in capsys.readouterr().out
    # What ends a run that takes too long does not end a process that goes on with other things.
    watches = [each for each in threading.enumerate() if isinstance(each, threading.Timer)]
    for watch in watches:
        watch.join(10)
        assert not watch.is_alive()


def test_weights_are_written_every_so_often(config_file, tmp_path):
    from clearzoom.train.config_file import load_config

    config = load_config(config_file(every=12))
    train(config, tmp_path / "run", callbacks=[Newest(tmp_path / NEWEST, every_s=0.0)])
    with safe_open(tmp_path / NEWEST, "pt") as file:
        assert file.metadata()["step"] == "12"
    train(config, tmp_path / "again", callbacks=[Newest(tmp_path / "none", every_s=1e6)])
    assert not (tmp_path / "none").exists()


def test_compiling_that_fails_or_takes_long_is_left_out(tmp_path):
    helps, words = compiling_helps(tmp_path / "none.json", 100.0)
    assert not helps
    assert words.startswith("compiling failed (FileNotFoundError")
    helps, words = compiling_helps(tmp_path / "none.json", 0.01)
    assert not helps
    assert words == "compiling took over 0 s; left out"


@pytest.fixture
def rented(tmp_path):
    """A clean environment that has only what is named and its needs; gives its Python."""

    def make(names):
        folder = tmp_path / "rented"
        venv.create(folder, with_pip=False)
        (site,) = folder.glob("lib/python3*/site-packages")
        for name in needs_of(names):
            home = distribution(name)
            for top in {file.parts[0] for file in home.files or [] if file.parts[0] != ".."}:
                if top != "__pycache__" and not (site / top).exists():
                    (site / top).symlink_to(Path(home.locate_file(top)).resolve())
        return folder / "bin" / "python"

    return make


def test_a_pack_trains_in_a_clean_environment_within_its_budget(config_file, tmp_path, rented):
    """The whole way, as on a rented machine: wheels, an own folder, two runs, their files."""
    python = f"{sys.version_info.major}.{sys.version_info.minor}"
    there = [*THERE, "pip", "onnxruntime"]
    needed = missing(there, python)
    try:
        (tmp_path / "wheels").mkdir()
        wheels = download(needed, python, tmp_path / "wheels")
    except OutputError:  # no network: the environment has them
        wheels = []
        there += [line.partition("==")[0] for line in needed]
    fast = 'name = "fast"\nsettings = { channels = 8, convolutions = 2 }'
    configs = [
        config_file(f"{name}.toml", network=fast, schedule="constant", max_steps=None, every=100000)
        for name in ("one", "two")
    ]
    pack(PackRequest(configs, {}, {"two": "one"}, batch=4), tmp_path / "pack", wheels)
    environment = {"PATH": os.environ["PATH"], "PYTHON": str(rented(there)), "HOME": str(tmp_path)}
    began_s = time.monotonic()
    done = subprocess.run(
        [tmp_path / "pack" / "run", "60s", tmp_path / "out"],
        env=environment,
        capture_output=True,
        text=True,
        timeout=170,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert time.monotonic() - began_s < 60 + 30  # its own end is on time; a machine may be busy
    assert done.stderr.count("the decay begins") == 2
    assert "started from" in done.stderr
    for name in ("one", "two"):
        results = tmp_path / "out" / name
        with safe_open(results / BEST, "pt") as file:
            assert float(file.metadata()["val_psnr_db"]) > 15
        assert load_checkpoint(results / LAST)["decay"] is not None
        assert (results / "metrics.csv").is_file()
