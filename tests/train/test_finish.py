"""Runs with a constant rate, and their decay."""

import shutil

import pytest
import torch
from safetensors import safe_open

from clearzoom.errors import ConfigError
from clearzoom.train.checkpoint import (
    BEFORE_DECAY,
    BEFORE_DECAY_WEIGHTS,
    BEST,
    LAST,
    load_checkpoint,
)
from clearzoom.train.config_file import load_config
from clearzoom.train.finish import Finish
from clearzoom.train.learning_rate import Decay, learning_rate
from clearzoom.train.run import train

pytestmark = pytest.mark.train


@pytest.fixture
def constant(config_file):
    """Writes a configuration with a constant rate and gives it as it is read."""

    def write(max_steps=None, **values):
        return load_config(config_file(schedule="constant", max_steps=max_steps, **values))

    return write


def test_a_finished_run_split_anywhere_is_the_unbroken_one(constant, tmp_path, losses):
    config = constant(kind="muon")
    train(constant(kind="muon", max_steps=4), tmp_path / "whole")
    whole = train(config, tmp_path / "whole", resume=True, finish=Finish(steps=7))
    unbroken = dict(losses)
    losses.clear()
    for sitting in range(4):
        train(config, tmp_path / "parts", resume=sitting > 0, time_budget_s=0)
    for sitting in range(7):
        finish = Finish(steps=7) if sitting < 2 else None  # the same command again goes on
        part = train(config, tmp_path / "parts", resume=True, finish=finish, time_budget_s=0)
    assert sorted(losses) == list(range(11))
    assert losses == unbroken
    assert part.decay == Decay(4, 7)
    torch.testing.assert_close(part.state_dict(), whole.state_dict(), rtol=0, atol=0)
    # The end is no multiple of the validation interval; it is validated all the same.
    for folder in ("whole", "parts"):
        with safe_open(tmp_path / folder / BEST, "pt") as file:
            assert file.metadata()["step"] == "11"
    ended = train(config, tmp_path / "parts", resume=True)
    assert ended.step == 11
    assert sorted(losses) == list(range(11))


def test_rates_are_those_of_the_schedule(constant, tmp_path, monkeypatch):
    rates = []
    step = torch.optim.Adam.step

    def watched(self, *arguments, **options):
        rates.append(self.param_groups[0]["lr"])
        return step(self, *arguments, **options)

    monkeypatch.setattr(torch.optim.Adam, "step", watched)
    config = constant()
    train(constant(max_steps=8), tmp_path / "run")
    train(config, tmp_path / "run", resume=True, finish=Finish(steps=4))
    wanted = [learning_rate(i, config.optimiser, Decay(8, 4)) for i in range(12)]
    assert rates == wanted
    assert wanted[8:] == sorted(wanted[8:], reverse=True)


def test_what_was_before_the_decay_can_be_gone_on_from(constant, tmp_path, losses):
    config = constant()
    start = train(constant(max_steps=4), tmp_path / "run")
    before = {name: value.clone() for name, value in start.ema.state_dict().items()}
    train(config, tmp_path / "run", resume=True, finish=Finish(steps=4))
    with safe_open(tmp_path / "run" / BEFORE_DECAY_WEIGHTS, "pt") as file:
        assert file.metadata()["step"] == "4"
        for name, value in before.items():
            assert torch.equal(file.get_tensor(name), value)
    train(constant(max_steps=8), tmp_path / "long")
    losses.clear()
    longer = train(
        constant(max_steps=8), tmp_path / "run", resume_from=tmp_path / "run" / BEFORE_DECAY
    )
    seen = dict(losses)
    losses.clear()
    shutil.copy(tmp_path / "run" / BEFORE_DECAY, tmp_path / "run" / LAST)
    train(constant(max_steps=8), tmp_path / "run", resume=True)
    assert sorted(seen) == [4, 5, 6, 7]
    assert losses == seen
    assert longer.decay is None
    again = train(config, tmp_path / "run", resume=True, finish=Finish(steps=2))
    assert again.decay == Decay(8, 2)
    assert load_checkpoint(tmp_path / "run" / LAST)["decay"] == {"start": 8, "steps": 2}


def test_a_time_budget_ends_with_its_decay(constant, tmp_path, capsys):
    config = constant(every=1000)
    recipe = train(config, tmp_path / "run", time_budget_s=5, finish=Finish(seconds=4.9))
    assert recipe.decay is not None
    assert recipe.decay.start >= 4
    assert "the decay begins and takes" in capsys.readouterr().err
    assert load_checkpoint(tmp_path / "run" / BEFORE_DECAY)["decay"] is None
    # However fast the machine is then, the same steps are left.
    end = recipe.decay.end
    while recipe.step < end:
        recipe = train(config, tmp_path / "run", resume=True, finish=Finish(seconds=1))
    assert recipe.decay.end == recipe.step == end


def test_a_resumed_run_is_finished_in_about_a_time(constant, tmp_path, monkeypatch):
    monkeypatch.setattr("clearzoom.train.finish._LEAST_MEASURED_S", 0.0)
    config = constant(call=2)
    train(constant(max_steps=4, call=2), tmp_path / "run")
    recipe = train(config, tmp_path / "run", resume=True, finish=Finish(seconds=1))
    assert recipe.decay.start >= 4 + 4 * 2
    assert recipe.decay.steps % 2 == 0
    assert recipe.step == recipe.decay.end


def test_wrong_finishes_are_refused(constant, config_file, tmp_path):
    config = constant(call=2)
    train(config, tmp_path / "run", time_budget_s=0)
    for wrong, finish, options, words in (
        (load_config(config_file("c.toml")), Finish(steps=4), {}, "a cosine ends by itself"),
        (config, Finish(steps=3), {"resume": True}, "multiple of run.steps_per_call"),
        (config, Finish(steps=4), {}, "add `resume`"),
        (config, Finish(seconds=4), {}, "or `time_budget_s`"),
        (config, Finish(seconds=9), {"time_budget_s": 8}, "longer than the time budget"),
    ):
        folder = tmp_path / ("run" if options.get("resume") else "new")
        with pytest.raises(ConfigError, match=words):
            train(wrong, folder, finish=finish, **options)
    train(config, tmp_path / "run", resume=True, finish=Finish(steps=4), time_budget_s=0)
    with pytest.raises(ConfigError, match=r"began at step 2, for 4 steps; leave `finish` out"):
        train(config, tmp_path / "run", resume=True, finish=Finish(steps=6))
