"""A teacher's part in the targets of training."""

import shutil

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from clearzoom.engines.network import load_network
from clearzoom.engines.tiled import enlarge_samples
from clearzoom.engines.wrappers import with_ensemble
from clearzoom.errors import ConfigError, MissingFileError, WeightsError
from clearzoom.train.config_file import load_config
from clearzoom.train.data.resident import Pairs
from clearzoom.train.release import release
from clearzoom.train.run import train
from clearzoom.train.teacher import teach
from clearzoom.train.teacher_section import TeacherSection
from clearzoom.weights import FOLDER, find

pytestmark = pytest.mark.train

FAST_X2 = FOLDER / "fast-x2.safetensors"

BORDER = 2 * 16  # HR px that the reach of fast x2 covers

FAST = """name = "fast"
settings = { channels = 8, convolutions = 2 }"""


def pairs_of(pictures, scale=2):
    return Pairs.load(pictures / "train", scale, 8, torch.device("cpu"))


def taught_hr(pictures, **section):
    pairs = pairs_of(pictures)
    teach(pairs, TeacherSection(**({"file": FAST_X2} | section)))
    return pairs.hr.permute(0, 2, 3, 1).numpy().astype(int)


@pytest.mark.parametrize("bf16", [False, True])
@pytest.mark.parametrize("ensemble", [False, True])
def test_the_teacher_is_the_released_network(pictures, monkeypatch, ensemble, bf16):
    monkeypatch.setattr("clearzoom.train.teacher.has_bf16", lambda _: bf16)
    taught = taught_hr(pictures, weight=1, ensemble=ensemble)
    released = load_network(str(find("fast", 2)), 2)
    if ensemble:
        released = with_ensemble(released)
    for lr, ours in zip(pairs_of(pictures).lr[0], taught, strict=True):
        theirs = enlarge_samples(lr.permute(1, 2, 0).numpy(), released)
        # Engines mirror a picture at its borders; training pads it with grey.
        difference = np.abs(ours - theirs)[BORDER:-BORDER, BORDER:-BORDER]
        assert difference.max() <= (4 if bf16 else 1)
        assert difference.mean() <= (0.4 if bf16 else 0.01)


def test_the_weight_is_the_teacher_s_share(pictures):
    hr = pairs_of(pictures).hr.permute(0, 2, 3, 1).numpy().astype(int)
    whole, quarter = (taught_hr(pictures, weight=share) for share in (1, 0.25))
    assert np.abs(quarter - (0.25 * whole + 0.75 * hr)).max() <= 0.7  # both are whole levels
    assert np.abs(whole - hr).mean() > 1


def test_a_network_with_levels_teaches_as_for_clean_lr(pictures):
    clean = taught_hr(pictures, file=FOLDER / "photo-x2.safetensors", weight=1)
    hr = pairs_of(pictures).hr.permute(0, 2, 3, 1).numpy().astype(int)
    fast = taught_hr(pictures, weight=1)
    assert np.square(clean - hr).mean() < 1.3 * np.square(fast - hr).mean()


def test_wrong_teachers_are_refused(pictures, tmp_path):
    def refused(kind, words, **section):
        with pytest.raises(kind, match=words):
            taught_hr(pictures, **section)

    refused(MissingFileError, r"check teacher\.file", file=tmp_path / "none.safetensors")
    refused(ConfigError, "enlarges x4, this run x2", file=FOLDER / "fast-x4.safetensors")
    (tmp_path / "cut.safetensors").write_bytes(FAST_X2.read_bytes()[:1000])
    refused(WeightsError, "damaged", file=tmp_path / "cut.safetensors")
    save_file(load_file(FAST_X2), tmp_path / "bare.safetensors")
    refused(WeightsError, "which network", file=tmp_path / "bare.safetensors")


def test_it_has_no_part_where_lr_is_not_made_once(config_file):
    more = f"[teacher]\nfile = '{FAST_X2}'\n"
    assert load_config(config_file(more=more)).teacher.weight == 0.5
    with pytest.raises(ConfigError, match="leave out"):
        load_config(config_file(more=more + "[degradation]\n"))
    with pytest.raises(ConfigError, match=r"teacher\.weight"):
        load_config(config_file(more=more + "weight = 1.5\n"))


def test_a_run_with_a_teacher_resumes_and_its_card_names_it(config_file, tmp_path, losses):
    shutil.copy(FAST_X2, tmp_path / "better.safetensors")
    more = "[teacher]\nfile = 'better.safetensors'\n"  # starts at the configuration's folder
    config = load_config(config_file(network=FAST, more=more))
    train(config, tmp_path / "whole")
    unbroken = dict(losses)
    train(load_config(config_file(network=FAST)), tmp_path / "alone")
    assert losses != unbroken
    train(config, tmp_path / "run", time_budget_s=0)
    changed = load_config(config_file(network=FAST, more=more + "weight = 0.4\n"))
    with pytest.raises(ConfigError, match=r"teacher\.weight = 0\.5"):
        train(changed, tmp_path / "run", resume=True)
    losses.clear()
    train(config, tmp_path / "run", resume=True)
    assert losses
    assert all(unbroken[step] == loss for step, loss in losses.items())
    card = release(tmp_path / "run", tmp_path / "out", 32, None)
    assert card.training.config["teacher"]["file"] == "better.safetensors"
