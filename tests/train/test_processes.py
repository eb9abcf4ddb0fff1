"""Several processes over gloo, by the real command: they compute what one would."""

import csv
import os
import subprocess
import sys
import tarfile

import pytest
import torch

from clearzoom.errors import ConfigError
from clearzoom.train.checkpoint import LAST, load_checkpoint
from clearzoom.train.config_file import load_config
from clearzoom.train.processes import Processes, is_first, requested_processes
from clearzoom.train.run import train

pytestmark = pytest.mark.train

FAST = 'name = "fast"\nsettings = { channels = 8, convolutions = 2 }'
TWO = ("--devices", 2)


def losses(run):
    """The logged loss of each step, from all sittings."""
    return [
        float(row["loss"])
        for path in sorted(run.glob("logs/*/metrics.csv"))
        for row in csv.DictReader(path.read_text().splitlines())
        if row["loss"]
    ]


def weights(run):
    state = load_checkpoint(run / LAST)["state_dict"]
    return {name: value for name, value in state.items() if name.startswith(("net.", "ema."))}


@pytest.fixture
def streamed_config(config_file, tmp_path, pictures):
    def write(**values):
        path = config_file(**values)
        shards = tmp_path / "shards"
        shards.mkdir()
        for half in range(2):
            with tarfile.open(shards / f"{half}.tar", "w") as archive:
                for picture in sorted((pictures / "train").iterdir())[half::2]:
                    archive.add(picture, picture.name)
        text = path.read_text().replace(f"{pictures}/train", str(shards))
        path.write_text(text.replace("[data]", "[data]\nstreamed = true"))
        return path

    return write


def succeeded(done):
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    assert "Warning" not in done.stderr
    return done


@pytest.mark.parametrize("kind", ["resident", "muon", "streamed"])
def test_losses_and_weights_are_those_of_one_process(
    config_file, streamed_config, tmp_path, command, kind
):
    more = {"kind": "muon", "network": FAST, "call": 1} if kind == "muon" else {}
    path = (streamed_config if kind == "streamed" else config_file)(every=1, **more)
    train(load_config(path), tmp_path / "one")
    done = succeeded(command("train", path, "-o", tmp_path / "two", *TWO))
    one, two = losses(tmp_path / "one"), losses(tmp_path / "two")
    assert len(two) == 12
    assert two == pytest.approx(one, rel=2e-4)
    alone, together = weights(tmp_path / "one"), weights(tmp_path / "two")
    for name, value in alone.items():
        torch.testing.assert_close(together[name], value, rtol=1e-3, atol=2e-4, msg=name)
    # One of them speaks, and writes.
    assert done.stdout.count("step 12 of 12") == 1
    assert done.stderr.count("step 12/12") == 1
    assert len(list((tmp_path / "two" / "grids").iterdir())) == 12
    assert len(list((tmp_path / "two" / "logs").iterdir())) == 1
    assert load_checkpoint(tmp_path / "two" / LAST)["device"].startswith("2 processes on ")
    if kind == "streamed":  # which has all that a resident run has to go on from, and more
        a_resumed_run_is_the_unbroken_one_of_as_many_processes(path, tmp_path, command)


def a_resumed_run_is_the_unbroken_one_of_as_many_processes(path, tmp_path, command):
    for more in (("--time-budget", "0s"), ("--resume",)):
        succeeded(command("train", path, "-o", tmp_path / "parts", *TWO, *more))
        assert len(losses(tmp_path / "parts")) == (1 if "--time-budget" in more else 12)
    assert losses(tmp_path / "parts") == losses(tmp_path / "two")
    parts = weights(tmp_path / "parts")
    for name, value in weights(tmp_path / "two").items():
        assert torch.equal(parts[name], value), name


def test_torchrun_needs_no_options(config_file, tmp_path):
    path = config_file(every=1, max_steps=4)
    train(load_config(path), tmp_path / "one")
    program = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", "2"]
    program += ["--standalone", "--module", "clearzoom", "train", path, "-o", tmp_path / "two"]
    done = subprocess.run(
        [str(part) for part in program], capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stderr
    assert losses(tmp_path / "two") == pytest.approx(losses(tmp_path / "one"), rel=2e-4)
    assert done.stdout.count("step 4 of 4") == 1


def test_tasks_of_slurm_find_each_other(config_file, tmp_path):
    path = config_file(every=1, max_steps=4)
    train(load_config(path), tmp_path / "one")
    tasks = []
    for rank in range(2):
        of_slurm = {"JOB_ID": 71, "JOB_NAME": "train", "NTASKS": 2, "NTASKS_PER_NODE": 2}
        of_slurm |= {"NNODES": 1, "NODEID": 0, "PROCID": rank, "LOCALID": rank}
        of_slurm |= {"NODELIST": "localhost", "JOB_NODELIST": "localhost"}
        environment = {f"SLURM_{name}": str(value) for name, value in of_slurm.items()}
        program = [sys.executable, "-m", "clearzoom", "train", path, "-o", tmp_path / "two", *TWO]
        tasks.append(
            subprocess.Popen(
                [str(part) for part in program],
                env=os.environ | environment,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )
        )
    said = [task.communicate(timeout=300) for task in tasks]
    assert [task.returncode for task in tasks] == [0, 0], said
    assert losses(tmp_path / "two") == pytest.approx(losses(tmp_path / "one"), rel=2e-4)
    assert "step 4 of 4" in said[0][0]
    assert said[1][0] == ""


def test_a_fault_ends_all_processes(config_file, tmp_path, command):
    done = command("train", config_file(rate="1e30"), "-o", tmp_path / "run", *TWO)
    assert done.returncode == 8
    assert "error[training]: the loss became" in done.stderr
    assert "lower optimiser.learning_rate" in done.stderr
    assert "Traceback" not in done.stderr


def test_what_processes_cannot_share_is_refused(config_file, command, tmp_path):
    config = load_config(config_file())
    Processes(2).check(config)
    with pytest.raises(ConfigError, match=r"data\.batch = 2 cannot be divided among 3"):
        Processes(3).check(config)
    more = '[adversarial]\nkind = "hinge"\n'
    with pytest.raises(ConfigError, match="adversarial training runs in one process"):
        Processes(1, 2).check(load_config(config_file(more=more)))
    for settings in ("{}", '{ norm = "batch" }'):
        name = "srresnet" if settings == "{}" else "srresnet-slim"
        network = f'name = "{name}"\nsettings = {settings}'
        with pytest.raises(ConfigError, match="batch norm would see"):
            Processes(2).check(load_config(config_file(network=network)))
    path = config_file()
    done = command("train", path, "-o", tmp_path / "run", "--devices", 2, "--steps-for", "1m")
    assert done.returncode == 6
    assert "--steps-for measures one process" in done.stderr


def test_number_and_rank_are_taken_from_the_environment(monkeypatch):
    assert requested_processes(None, None) == Processes(1, 1)
    assert requested_processes(4, 2).count == 8
    assert is_first()
    monkeypatch.setenv("LOCAL_WORLD_SIZE", "4")
    monkeypatch.setenv("WORLD_SIZE", "12")
    assert requested_processes(None, None) == Processes(4, 3)
    monkeypatch.setenv("LOCAL_RANK", "0")
    monkeypatch.setenv("RANK", "4")
    assert not is_first()
