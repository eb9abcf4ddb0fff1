import hashlib
import json
import shutil

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from clearzoom.engines.network import load_network
from clearzoom.errors import ConfigError, MissingFileError, ModelError
from clearzoom.io.folder import files_sha256
from clearzoom.metrics.evaluate import evaluate
from clearzoom.pipeline.command_method import plain_command
from clearzoom.train.checkpoint import BEST
from clearzoom.train.config_file import load_config
from clearzoom.train.release import release
from clearzoom.train.run import train
from clearzoom.weights import suited_consistency
from clearzoom.weights.card import read_card

pytestmark = pytest.mark.train


def test_a_run_becomes_weights_with_a_true_card(config_file, tmp_path, pictures):
    recipe = train(load_config(config_file()), tmp_path / "run")
    sets = tmp_path / "sets"
    sets.mkdir()
    (sets / "mini").symlink_to(pictures / "val")
    card = release(tmp_path / "run", tmp_path / "out", 32, sets)
    assert read_card(tmp_path / "out" / "srresnet-slim-x2.json") == card
    for file in card.files:
        content = (tmp_path / "out" / file.name).read_bytes()
        assert (file.bytes, file.sha256) == (len(content), hashlib.sha256(content).hexdigest())
    assert card.training.steps == 12
    assert card.training.lr_pixels == 12 * 2 * 8 * 8
    assert card.training.validation_psnr_db == pytest.approx(recipe.best_psnr_db, abs=1e-4)
    assert [row.model for row in card.scores] == ["bicubic", "srresnet-slim"] * 2
    assert card.scores[3].data.endswith("LR as JPEG 60")
    kinds = [(row.recipe, row.level, row.data, row.model) for row in card.fault_scores]
    assert kinds == [
        ("faults-1", level, "val", model)
        for level in ("mild", "usual", "heavy")
        for model in ("bicubic", "srresnet-slim")
    ]
    plain = plain_command(str(tmp_path / "out" / "srresnet-slim-x2.onnx"), 2)
    (_, measured) = evaluate(pictures / "val", 2, [plain])
    assert card.scores[1].psnr_db == pytest.approx(measured.psnr_db, abs=1e-4)
    network = load_network(str(tmp_path / "out" / "srresnet-slim-x2.onnx"), 2)
    assert (network.halo_px, network.tile_px) == (card.halo_px, 32)


def test_the_card_states_every_folder(config_file, tmp_path, pictures):
    for name, licence in (("photos", "CC0"), ("sheets", "CC-BY-4.0")):
        shutil.copytree(pictures / "train", tmp_path / name)
        row = f"picture\tlicence\n0.png\t{licence}\n"
        (tmp_path / name / "sources.tsv").write_text(row)
    folders = """[
        { folder = "photos", weight = 3 },
        { folder = "sheets" },
        { folder = "drawn", licence = "drawn by ourselves" },
    ]"""
    (tmp_path / "drawn").symlink_to(pictures / "train")
    path = config_file()
    path.write_text(path.read_text().replace(f'"{pictures}/train"', folders))
    text = path.read_text().replace(f'"{pictures}/val"', f'["{pictures}/val", "drawn"]')
    path.write_text(text)
    recipe = train(load_config(path), tmp_path / "run")
    assert len(recipe.hr) == 7
    training = release(tmp_path / "run", tmp_path / "out", 32, None).training
    assert training.data_licence == "photos: CC0; sheets: CC-BY-4.0; drawn: drawn by ourselves"
    assert [part.partition(":")[0] for part in training.data.split("; ")] == [
        "photos",
        "sheets",
        "drawn",
    ]
    files = [sorted((tmp_path / name).iterdir()) for name in ("photos", "sheets", "drawn")]
    assert training.data_sha256 == files_sha256([file for several in files for file in several])
    assert [each["folder"] for each in training.config["data"]["train"]] == [
        "photos",
        "sheets",
        "drawn",
    ]
    shutil.rmtree(tmp_path / "sheets")
    with pytest.raises(MissingFileError, match="sheets are gone"):
        release(tmp_path / "run", tmp_path / "again", 32, None)


def test_the_same_run_gives_the_same_bytes(config_file, tmp_path):
    train(load_config(config_file()), tmp_path / "run")
    for name in ("a", "b"):
        release(tmp_path / "run", tmp_path / name, 32, None)
    for path in (tmp_path / "a").iterdir():
        first, second = path.read_bytes(), (tmp_path / "b" / path.name).read_bytes()
        if path.suffix == ".json":
            first, second = (json.loads(text) | {"speed": None} for text in (first, second))
        assert first == second, path.name


def test_weights_that_know_faults_are_not_made_to_give_them_back(config_file, tmp_path):
    path = config_file()
    train(load_config(path), tmp_path / "clean")
    path.write_text(path.read_text() + "\n[degradation]\nversions = 1\n")
    train(load_config(path), tmp_path / "faulty")
    for run, suited in (("clean", "full"), ("faulty", 2.0)):
        release(tmp_path / run, tmp_path / f"{run}-weights", 32, None)
        weights = tmp_path / f"{run}-weights" / "srresnet-slim-x2.onnx"
        assert suited_consistency(str(weights), 2) == suited
    weights.with_suffix(".json").unlink()
    assert suited_consistency(str(weights), 2) == "full"


def test_weights_that_are_too_much_are_mixed_with_those_that_they_started_from(
    config_file, tmp_path
):
    out = tmp_path / "out"
    for seed, name in ((1, "true"), (2, "crisp")):
        train(load_config(config_file(seed=seed)), tmp_path / name)
    release(tmp_path / "true", out, 32, None, name="true")
    with pytest.raises(ConfigError, match="add `psnr_model` NAME"):
        release(tmp_path / "crisp", out, 32, None, name="crisp", strength=0.75)
    card = release(
        tmp_path / "crisp", out, 32, None, name="crisp", psnr_model="true", strength=0.75
    )
    assert card.training.strength == 0.75
    first, last = load_file(out / "true-x2.safetensors"), load_file(tmp_path / "crisp" / BEST)
    for name, mixed in load_file(out / "crisp-x2.safetensors").items():
        torch.testing.assert_close(mixed, 0.25 * first[name] + 0.75 * last[name])
    x = np.zeros((1, 3, 8, 8), np.float32)
    start, mixed = (str(out / f"{name}-x2.onnx") for name in ("true", "crisp"))
    back = load_network(mixed, 2, "onnxruntime", strength=0)
    np.testing.assert_allclose(back.run(x), load_network(start, 2, "onnxruntime").run(x), atol=1e-6)


def test_weights_are_mixed_with_those_of_the_run_before(config_file, tmp_path):
    before, run, out = tmp_path / "before", tmp_path / "run", tmp_path / "out"
    train(load_config(config_file(seed=1)), before)
    train(load_config(config_file(seed=2)), run, initial_weights=before / BEST)
    card = release(run, out, 32, None, initial_weights=before / BEST, strength=0.25)
    assert card.training.strength == 0.25
    assert card.training.mixed_with == card.training.started_from
    first, last = load_file(before / BEST), load_file(run / BEST)
    for name, mixed in load_file(out / "srresnet-slim-x2.safetensors").items():
        torch.testing.assert_close(mixed, 0.75 * first[name] + 0.25 * last[name])
    for wrong, words in (
        ({"initial_weights": run / BEST, "strength": 0.25}, "did not start from"),
        ({"initial_weights": before / BEST}, "for a `strength` below 1"),
        ({"initial_weights": before / BEST, "strength": 0.25, "psnr_model": "x"}, "in place of"),
    ):
        with pytest.raises(ConfigError, match=words):
            release(run, out, 32, None, **wrong)
    with pytest.raises(MissingFileError, match="cannot read `initial_weights`"):
        release(run, out, 32, None, initial_weights=tmp_path / "none", strength=0.25)
    with pytest.raises(ConfigError, match="started from no weights"):
        release(before, out, 32, None, initial_weights=run / BEST, strength=0.25)


def test_norms_that_see_the_whole_picture_are_not_released(config_file, tmp_path):
    path = config_file()
    path.write_text(path.read_text().replace("blocks = 1,", 'blocks = 1, norm = "instance",'))
    train(load_config(path), tmp_path / "run")
    with pytest.raises(ModelError, match="tiles would change it"):
        release(tmp_path / "run", tmp_path / "out", 32, None)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("made", "words"),
    [((), "no folder"), (("sets",), "holds no test sets"), (("sets/empty",), "no picture")],
)
def test_test_sets_that_are_not_there_are_refused_first(tmp_path, made, words):
    """Before the run is read: the files here are no checkpoint."""
    for name in ("last.ckpt", "best.safetensors"):
        (tmp_path / name).write_bytes(b"")
    for each in made:
        (tmp_path / each).mkdir(parents=True)
    with pytest.raises(MissingFileError, match=words):
        release(tmp_path, tmp_path / "out", 32, tmp_path / "sets")
    assert not (tmp_path / "out").exists()


def test_an_unfinished_run_is_refused(tmp_path):
    with pytest.raises(MissingFileError, match="no finished run"):
        release(tmp_path, tmp_path / "out", 32, None)


@pytest.mark.parametrize(("times", "written"), [(0.0, True), (1e9, False)])
def test_int8_is_written_only_where_it_is_worth_it(
    config_file, tmp_path, monkeypatch, times, written
):
    monkeypatch.setattr("clearzoom.train.int8._WORTH_TIMES", times)
    train(load_config(config_file()), tmp_path / "run")
    card = release(tmp_path / "run", tmp_path / "out", 32, None, name="mine", int8=True)
    path = tmp_path / "out" / "mine-x2-int8.onnx"
    assert path.is_file() == written
    assert (card.int8 is not None) == written
    if not written:
        with pytest.raises(MissingFileError, match="--int8"):
            load_network(str(tmp_path / "out" / "mine-x2.onnx"), 2, precision="int8")
        return
    assert card.files[-1].name == path.name
    x = (np.random.default_rng(0).random((1, 3, 20, 24)) - 0.5).astype(np.float32)
    full = load_network(str(tmp_path / "out" / "mine-x2.onnx"), 2).run(x)
    for engine in ("onnxruntime", "openvino"):
        network = load_network(str(tmp_path / "out" / "mine-x2.onnx"), 2, engine, "int8")
        assert network.name == "mine"
        assert 0 < np.abs(network.run(x) - full).mean() < 0.02
