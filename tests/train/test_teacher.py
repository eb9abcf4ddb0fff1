"""A teacher's part in the targets of training."""

import hashlib
import shutil

import numpy as np
import pytest
import torch
from pydantic import ValidationError

from clearzoom.engines.network import load_network
from clearzoom.engines.tiled import enlarge_samples
from clearzoom.engines.wrappers import with_ensemble
from clearzoom.errors import ConfigError, MissingFileError, TrainingError, WeightsError
from clearzoom.train.config import TrainConfig
from clearzoom.train.config_file import load_config
from clearzoom.train.data.resident import Pairs
from clearzoom.train.release import release
from clearzoom.train.run import train
from clearzoom.train.teacher import load_teacher, teach
from clearzoom.train.teacher_section import TeacherSection
from clearzoom.weights import FOLDER, find

pytestmark = pytest.mark.train

FAST_X2 = FOLDER / "fast-x2.safetensors"
PHOTO_X2 = FOLDER / "photo-x2.safetensors"

FAST = """name = "fast"
settings = { channels = 8, convolutions = 2 }"""


@pytest.fixture
def upright(pictures, tmp_path):
    """A folder of the same pictures, cut to a height that is not their width."""
    import pyvips

    (tmp_path / "upright").mkdir()
    for path in (pictures / "train").iterdir():
        picture = pyvips.Image.new_from_file(str(path))
        picture.crop(0, 0, 88, 96).write_to_file(str(tmp_path / "upright" / path.name))
    return tmp_path / "upright"


def config_of(folders, precision="auto", **settings):
    return TrainConfig.model_validate(
        {
            "network": {"name": "fast", "scale": 2},
            "data": {"train": folders, "validation": "none", "patch_px": 8},
            "optimiser": {"max_steps": 1},
            "teacher": {"file": FAST_X2} | settings,
            "run": {"precision": precision},
        }
    )


def pairs_of(folders, scale=2):
    return Pairs.load(folders, scale, 8, torch.device("cpu"))


def taught_hr(folders, precision="auto", **settings):
    config = config_of(folders, precision, **settings)
    pairs = pairs_of(config.data.train)
    teach(pairs, load_teacher(config.teacher, 2), config)
    return pairs.hr.permute(0, 2, 3, 1).numpy().astype(int)


def hr_of(folder):
    return pairs_of(folder).hr.permute(0, 2, 3, 1).numpy().astype(int)


def enlarged_by(network, folder, border_px):
    """The product's own result. It mirrors a picture at its borders; training pads it with grey."""
    lr = pairs_of(folder).lr[0].permute(0, 2, 3, 1).numpy()
    inside = slice(border_px, -border_px)
    return np.stack([enlarge_samples(each, network) for each in lr])[:, inside, inside], inside


@pytest.mark.parametrize("ensemble", [False, True])
def test_the_teacher_is_the_released_network(upright, ensemble):
    alone = load_network(str(find("fast", 2)), 2)
    network = with_ensemble(alone) if ensemble else alone
    theirs, inside = enlarged_by(network, upright, 2 * alone.halo_px)
    ours = taught_hr(upright, "fp32", weight=1, ensemble=ensemble)[:, inside, inside]
    difference = np.abs(ours - theirs)
    assert difference.max() <= 1
    assert difference.mean() <= 0.01
    other, _ = enlarged_by(alone if ensemble else with_ensemble(alone), upright, 2 * alone.halo_px)
    assert np.abs(ours - other).mean() > 0.1


def test_bf16_changes_little(upright, monkeypatch):
    exact = taught_hr(upright, "fp32", weight=1)
    monkeypatch.setattr("clearzoom.train.teacher.has_bf16", lambda _: True)
    difference = np.abs(taught_hr(upright, weight=1) - exact)
    assert difference.max() > 0
    assert difference.mean() < 0.5
    assert np.array_equal(taught_hr(upright, "fp32", weight=1), exact)


def test_pictures_that_do_not_go_together_give_the_same(upright, monkeypatch):
    together = taught_hr(upright, "fp32")
    monkeypatch.setattr("clearzoom.train.teacher._TOGETHER_PX", 1)
    assert np.abs(taught_hr(upright, "fp32") - together).max() <= 1


def test_the_weight_is_the_teacher_s_share(upright):
    hr, (whole, quarter) = hr_of(upright), (taught_hr(upright, weight=w) for w in (1, 0.25))
    # Both were rounded to whole levels.
    assert np.abs(quarter - (0.25 * whole + 0.75 * hr)).max() <= 0.5 + 0.25 * 0.5
    assert np.abs(whole - hr).mean() > 1


def test_only_the_folders_that_are_taught_change(upright):
    hr, whole = hr_of(upright), taught_hr(upright, "fp32")
    twice = [{"folder": upright, "taught": False}, {"folder": upright}]
    for folders, expected in ((twice, [hr, whole]), (twice[::-1], [whole, hr])):
        assert np.array_equal(taught_hr(folders, "fp32"), np.concatenate(expected))


def test_a_teacher_whom_no_folder_has_is_refused(upright):
    with pytest.raises(ValidationError, match=r"taught = true; leave out \[teacher\]"):
        config_of([{"folder": upright, "taught": False}])


def test_a_network_with_levels_teaches_as_for_clean_lr(upright):
    network = load_network(str(find("photo", 2)), 2, denoise=0)
    theirs, inside = enlarged_by(network, upright, 2 * network.halo_px)
    ours = taught_hr(upright, "fp32", file=PHOTO_X2, weight=1)[:, inside, inside]
    assert np.abs(ours - theirs).max() <= 1


def test_a_teacher_of_another_scale_or_without_a_picture_is_refused(upright):
    with pytest.raises(ConfigError, match="enlarges x4, this run x2"):
        load_teacher(TeacherSection(file=FOLDER / "fast-x4.safetensors"), 2)
    config = config_of(upright)
    net = load_teacher(config.teacher, 2)
    net.tail.bias.fill_(torch.nan)
    with pytest.raises(TrainingError, match="NaN"):
        teach(pairs_of(upright), net, config)


def test_a_wrong_file_is_refused_before_pictures_are_decoded(config_file, tmp_path, monkeypatch):
    monkeypatch.delattr("clearzoom.train.run.Pairs")
    folder = tmp_path / "run"
    config = load_config(config_file(more="[teacher]\nfile = 'none'\n"))
    with pytest.raises(MissingFileError, match=r"check teacher\.file"):
        train(config, folder)
    config = load_config(config_file(more="[teacher]\nfile = '/proc/self/mem'\n"))  # never readable
    with pytest.raises(MissingFileError, match=r"cannot read teacher\.file"):
        train(config, folder)
    (tmp_path / "cut").write_bytes(FAST_X2.read_bytes()[:1000])
    config = load_config(config_file(more="[teacher]\nfile = 'cut'\n"))
    with pytest.raises(WeightsError, match="damaged"):
        train(config, folder)
    more = f"[teacher]\nfile = '{FAST_X2}'\nsha256 = '00'\n"
    with pytest.raises(ConfigError, match="its SHA-256 is"):
        train(load_config(config_file(more=more)), folder)


@pytest.mark.parametrize(
    "more",
    [
        "[degradation]\n",
        "[adversarial]\n",
        "[[losses]]\nkind = 'lpips'\n",
        "[[losses]]\nkind = 'perceptual'\n",
    ],
)
def test_where_it_would_mislead_it_is_refused(config_file, more):
    teacher = f"[teacher]\nfile = '{FAST_X2}'\n"
    assert load_config(config_file(more=teacher)).teacher.weight == 0.5
    with pytest.raises(ConfigError, match="leave out"):
        load_config(config_file(more=teacher + more))


def test_streamed_pictures_have_no_teacher(config_file):
    path = config_file(more=f"[teacher]\nfile = '{FAST_X2}'\n")
    path.write_text(path.read_text().replace("patch_px = 8", "patch_px = 8\nstreamed = true"))
    with pytest.raises(ConfigError, match="leave out"):
        load_config(path)


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
    (tmp_path / "better.safetensors").rename(tmp_path / "moved.safetensors")
    moved = load_config(config_file(network=FAST, more=more.replace("better", "moved")))
    train(moved, tmp_path / "run", resume=True)
    assert losses
    assert all(unbroken[step] == loss for step, loss in losses.items())
    shutil.copy(PHOTO_X2, tmp_path / "better.safetensors")
    with pytest.raises(ConfigError, match=r"teacher\.sha256"):
        train(config, tmp_path / "run", resume=True)
    card = release(tmp_path / "run", tmp_path / "out", 32, None)
    assert card.training.config["teacher"]["file"] == "moved.safetensors"
    stated = hashlib.sha256(FAST_X2.read_bytes()).hexdigest()
    assert card.training.config["teacher"]["sha256"] == stated
