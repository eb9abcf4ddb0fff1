import json
import sys

import numpy as np
import pytest

from clearzoom.engines.network import load_network
from clearzoom.errors import MissingExtraError, MissingFileError, ModelError, WeightsError
from clearzoom.weights import FOLDER, fastest_engine, released
from clearzoom.weights.card import read_card

CARD = released()[0]
NAME, SCALE = CARD.name, CARD.scale


@pytest.mark.parametrize("engine", ["auto", "openvino", "torch"])
def test_every_engine_gives_the_reference_s_result(engine, random):
    x = (random.random((1, 3, 40, 52)) - 0.5).astype(np.float32)
    reference = load_network(NAME, SCALE, "onnxruntime").run(x)
    np.testing.assert_allclose(load_network(NAME, SCALE, engine).run(x), reference, atol=1e-4)


def test_half_precision_is_close_and_refused_where_it_is_not(random, trials):
    x = (random.random((1, 3, 24, 24)) - 0.5).astype(np.float32)
    reference = load_network(NAME, SCALE, "onnxruntime").run(x)
    half = load_network(NAME, SCALE, "torch", "bf16").run(x)
    assert 1e-5 < np.abs(half - reference).mean() < 0.02
    with pytest.raises(ModelError, match="add `engine` openvino or torch"):
        load_network(NAME, SCALE, "onnxruntime", "bf16")


def test_auto_takes_the_engine_that_the_card_measured_fastest(tmp_path):
    stem = f"{NAME}-x{SCALE}"
    card = json.loads((FOLDER / f"{stem}.json").read_text())
    seconds = {"openvino": 0.1, "onnxruntime": 0.2}
    card["speed"] = [
        {"engine": engine, "seconds_per_output_mp": value, "device": "a test"}
        for engine, value in seconds.items()
    ]
    onnx = tmp_path / f"{stem}.onnx"
    onnx.with_suffix(".json").write_text(json.dumps(card))
    assert read_card(onnx.with_suffix(".json")).speed
    assert fastest_engine(onnx, "fp32") == "openvino"
    assert fastest_engine(onnx, "fp16") is None
    assert fastest_engine(tmp_path / "other.onnx", "fp32") is None


def test_int8_is_close_and_says_what_it_needs(photo, monkeypatch):
    x = photo[None, 80:160, 120:240].transpose(0, 3, 1, 2).astype(np.float32) / 255 - 0.5
    reference = load_network("fast", 4, "onnxruntime").run(x)
    assert 1e-5 < np.abs(load_network("fast", 4, precision="int8").run(x) - reference).mean() < 0.01
    monkeypatch.setitem(sys.modules, "openvino", None)
    np.testing.assert_array_equal(load_network("fast", 4).run(x), reference)
    with pytest.raises(MissingExtraError, match=r"\[openvino\]"):
        load_network("fast", 4, precision="int8")


def test_int8_that_is_not_there_names_the_options_that_do_not_go_together(small_weights):
    for name, scale in (("fast", 4), ("photo", 4), (str(small_weights), 2)):
        with pytest.raises(ModelError, match="leave `engine` torch or `precision` int8 out"):
            load_network(name, scale, "torch", "int8")
    for name, scale in (("photo", 4), (str(small_weights), 2)):
        with pytest.raises(MissingFileError, match="leave `precision` int8 out, or"):
            load_network(name, scale, precision="int8")


def test_torch_without_its_weights_says_which_file_is_missing(small_weights):
    with pytest.raises(WeightsError, match=r"small-x2\.safetensors beside"):
        load_network(str(small_weights), 2, "torch")
