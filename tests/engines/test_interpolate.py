import contextlib
import shutil

import numpy as np
import onnx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from onnx import numpy_helper

from clearzoom.engines.interpolate import mixed_model
from clearzoom.engines.network import load_network
from clearzoom.errors import ModelError, WeightsError
from clearzoom.weights import FOLDER

PHOTO = (FOLDER / "photo-x4.onnx").read_bytes()
SHARP = (FOLDER / "photo-crisp-x4.onnx").read_bytes()


def tensors(model):
    graph = onnx.load_from_string(model).graph
    return {t.name: numpy_helper.to_array(t) for t in graph.initializer}


@pytest.mark.parametrize("strength", [0, 0.3, 1])
def test_every_float_tensor_lies_between(strength):
    """By the onnx package's own reading."""
    mixed, first, second = (tensors(m) for m in (mixed_model(PHOTO, SHARP, strength), PHOTO, SHARP))
    assert mixed.keys() == second.keys()
    moved = 0
    for name, values in mixed.items():
        if values.dtype == np.float32:
            expected = (1 - strength) * first[name] + strength * second[name]
            np.testing.assert_allclose(values, expected, atol=1e-6)
            moved += not np.array_equal(first[name], second[name])
        else:
            np.testing.assert_array_equal(values, second[name])
    assert moved > 20


def test_the_ends_are_the_two_networks(tmp_path, photo):
    """As a user has them: perceptual weights beside the PSNR weights that they started from."""
    (tmp_path / "sharp-x4.onnx").write_bytes(SHARP)
    (tmp_path / "photo-x4.onnx").write_bytes(PHOTO)
    x = photo[60:84, 100:124].transpose(2, 0, 1)[None].astype(np.float32) / 255 - 0.5
    sharp = str(tmp_path / "sharp-x4.onnx")
    for strength, same in ((0, "photo"), (1, "photo-crisp")):
        network = load_network(sharp, 4, "onnxruntime", strength=strength)
        expected = load_network(same, 4, "onnxruntime").run(x)
        np.testing.assert_allclose(network.run(x), expected, atol=1e-6)
    hashes = {load_network(sharp, 4, strength=x).sha256 for x in (0, 0.5, 1)}
    assert len(hashes) == 3
    half = load_network(sharp, 4, "openvino", strength=0.5)
    assert half.name == "photo-crisp at strength 0.5"
    ours = load_network(sharp, 4, "onnxruntime", strength=0.5).run(x)
    np.testing.assert_allclose(half.run(x), ours, atol=1e-4)
    with pytest.raises(ModelError, match="not `engine` torch"):
        load_network(sharp, 4, "torch", strength=0.5)
    with pytest.raises(ModelError, match="not between 0 and 1"):
        load_network(sharp, 4, strength=1.5)


def test_damaged_psnr_weights_are_not_mixed_in(tmp_path, monkeypatch):
    for path in FOLDER.glob("photo-*x4*"):
        shutil.copy(path, tmp_path)
    monkeypatch.setattr("clearzoom.weights.FOLDER", tmp_path)
    load_network("photo-crisp", 4, strength=0.5)
    path = tmp_path / "photo-x4.onnx"
    path.write_bytes(PHOTO[:-1] + bytes([PHOTO[-1] ^ 1]))
    with pytest.raises(WeightsError, match=r"photo-x4\.onnx is damaged"):
        load_network("photo-crisp", 4, strength=0.5)


def test_other_weights_have_no_strength():
    with pytest.raises(ModelError, match=r"fast-x4 has no `strength`"):
        load_network("fast", 4, strength=0.5)


def test_other_networks_do_not_mix():
    slim = (FOLDER / "srresnet-slim-x4.onnx").read_bytes()
    with pytest.raises(WeightsError, match="not of one network"):
        mixed_model(slim, SHARP, 0.5)
    with pytest.raises(WeightsError):
        mixed_model(b"", b"", 0.5)


@given(st.data())
def test_damage_is_an_error_or_no_matter(data):
    damaged = bytearray(SHARP)
    for _ in range(data.draw(st.integers(1, 4))):
        damaged[data.draw(st.integers(0, 3000))] = data.draw(st.integers(0, 255))
    cut = bytes(damaged[: data.draw(st.integers(0, len(damaged)))])
    for first, second in ((PHOTO, cut), (cut, PHOTO)):
        with contextlib.suppress(WeightsError):
            assert len(mixed_model(first, second, 0.5)) == len(second)
