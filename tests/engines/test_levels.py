import hashlib
import json
import shutil

import numpy as np
import pytest
import torch
from helpers.small_networks import randomised

from clearzoom.engines.levels import DenoiseLevels, estimator_file, load_estimator
from clearzoom.engines.network import load_network
from clearzoom.engines.notes import read_notes
from clearzoom.engines.weights_files import load_level_estimator
from clearzoom.errors import ModelError, WeightsError
from clearzoom.models.export import export_estimator, export_onnx
from clearzoom.models.photo import PLAIN_LEVEL
from clearzoom.models.registry import build

NOTES = {"name": "mine", "scale": "2", "halo_px": "5", "tile_px": "32"}


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    """A network with levels, its file, and an estimator beside it; tests leave them as they are."""
    net = randomised(build("photo", 2, {"channels": 8, "convolutions": 3})).eval()
    path = tmp_path_factory.mktemp("exported") / "mine-x2.onnx"
    export_onnx(net, path, NOTES)
    export_estimator(net.estimator, estimator_file(path), {})
    return net, path


@pytest.mark.slow
@pytest.mark.parametrize("level", [0.0, 0.35, 1.0])
@pytest.mark.parametrize("engine", ["onnxruntime", "openvino"])
def test_one_file_is_the_network_at_every_level(exported, level, engine):
    net, path = exported
    network = load_network(str(path), 2, engine, denoise=level)
    x = torch.rand(1, 3, 11, 14) - 0.5
    with torch.no_grad():
        expected = net(x, torch.tensor([level])).numpy()
    np.testing.assert_allclose(network.run(x.numpy()), expected, atol=2e-5)
    assert network.denoise == level
    assert network.name == f"mine at denoise {level:g}"


@pytest.mark.slow
def test_without_a_level_the_file_is_at_its_own(exported):
    net, path = exported
    network = load_network(str(path), 2)
    assert (network.denoise, network.name) == (PLAIN_LEVEL, "mine")
    x = torch.rand(1, 3, 8, 8) - 0.5
    with torch.no_grad():
        np.testing.assert_allclose(network.run(x.numpy()), net(x).numpy(), atol=2e-5)


def test_the_name_has_the_level_and_the_hash_is_the_files(exported):
    """So that a person can compare it with the card; caches go by both."""
    _, path = exported
    networks = [load_network(str(path), 2, denoise=level) for level in (0.0, 0.5, 1.0)]
    assert {each.sha256 for each in networks} == {hashlib.sha256(path.read_bytes()).hexdigest()}
    assert [each.name for each in networks] == [f"mine at denoise {x}" for x in ("0", "0.5", "1")]


def test_the_estimator_is_the_networks(exported):
    net, path = exported
    x = torch.rand(1, 3, 40, 33) - 0.5
    guess = load_level_estimator(str(path), 2)
    with torch.no_grad():
        assert guess(x.numpy()) == pytest.approx(net.estimator(x).item(), abs=1e-5)
    assert load_estimator(estimator_file(path))(x.numpy()) == guess(x.numpy())


def test_models_without_levels_say_so():
    assert load_level_estimator("fast", 4) is None
    assert load_network("fast", 4).denoise is None
    with pytest.raises(ModelError, match="fast has no `denoise`"):
        load_network("fast", 4, denoise=0.5)


def test_levels_outside_of_the_range_are_refused(exported):
    with pytest.raises(ModelError, match="not between 0 and 1"):
        load_network(str(exported[1]), 2, denoise=1.5)


def test_a_damaged_note_is_one_clear_error(exported):
    _, path = exported
    notes = read_notes(path)
    for damaged in ("{", "[]", json.dumps({"level": 0.5, "shifts": {"a": 3}})):
        with pytest.raises(WeightsError, match="damaged"):
            DenoiseLevels.of(notes | {"denoise": damaged})
    other = DenoiseLevels(0.5, {"no such bias": np.zeros(3, np.float32)})
    with pytest.raises(WeightsError, match="does not have the biases"):
        other.at(path.read_bytes(), 0.2)


@pytest.mark.slow
def test_strength_mixes_levels_too(exported, tmp_path):
    net, path = exported
    shutil.copy(path, tmp_path)
    crisp = randomised(build("photo", 2, {"channels": 8, "convolutions": 3}), 7).eval()
    export_onnx(crisp, tmp_path / "crisp-x2.onnx", NOTES | {"psnr_model": "mine", "name": "crisp"})
    network = load_network(str(tmp_path / "crisp-x2.onnx"), 2, strength=0.25, denoise=0.8)
    mixed = net.at_level(0.8)
    other = crisp.at_level(0.8).state_dict()
    mixed.load_state_dict({k: v + 0.25 * (other[k] - v) for k, v in mixed.state_dict().items()})
    x = torch.rand(1, 3, 9, 9) - 0.5
    with torch.no_grad():
        np.testing.assert_allclose(network.run(x.numpy()), mixed(x).numpy(), atol=5e-5)
