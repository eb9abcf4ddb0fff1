"""Files with our notes that are none of ours: they end in an error before an engine sees them."""

import hashlib
import json

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

import clearzoom
from clearzoom.engines.enclosed import check_enclosed
from clearzoom.engines.levels import estimator_file
from clearzoom.errors import WeightsError
from clearzoom.probe.add import add_model
from clearzoom.weights import FOLDER


def endless():
    """A loop that goes on as long as numbers go."""
    body = helper.make_graph(
        [
            helper.make_node("Identity", ["on"], ["still"]),
            helper.make_node("Sigmoid", ["carried"], ["next"]),
        ],
        "body",
        [
            helper.make_tensor_value_info("i", TensorProto.INT64, []),
            helper.make_tensor_value_info("on", TensorProto.BOOL, []),
            helper.make_tensor_value_info("carried", TensorProto.FLOAT, None),
        ],
        [
            helper.make_tensor_value_info("still", TensorProto.BOOL, []),
            helper.make_tensor_value_info("next", TensorProto.FLOAT, None),
        ],
    )
    return helper.make_node("Loop", ["times", "true", "body-in"], ["looped"], body=body)


def spoilt(path, how):
    """The released fast x2 with its notes, changed."""
    model = onnx.load(FOLDER / "fast-x2.onnx")
    graph = model.graph
    first = graph.node[0]
    if how == "loop":
        times = numpy_helper.from_array(np.array(2**62), "times")
        true = numpy_helper.from_array(np.array(True), "true")
        graph.initializer.extend([times, true])
        loop = endless()
        loop.input[2] = first.input[0]
        first.input[0] = loop.output[0]
        graph.node.insert(0, loop)
    elif how == "elsewhere":
        onnx.external_data_helper.convert_model_to_external_data(
            model, location="large.bin", size_threshold=0
        )
    elif how == "constant":
        weights = next(each for each in graph.initializer if each.name == first.input[1])
        constant = helper.make_node("Constant", [], [weights.name], value=weights)
        graph.initializer.remove(weights)
        graph.node.insert(0, constant)
        tensor = graph.node[0].attribute[0].t
        (path.parent / "large.bin").write_bytes(tensor.raw_data)
        onnx.external_data_helper.set_external_data(tensor, "large.bin")
        tensor.ClearField("raw_data")
    elif how == "domain":
        first.domain = "com.microsoft"
    elif how == "function":
        opsets = [helper.make_opsetid("", 18)]
        node = helper.make_node("Relu", ["a"], ["b"])
        model.functions.append(helper.make_function("acme", "Own", ["a"], ["b"], [node], opsets))
    elif how == "sparse":
        values = numpy_helper.from_array(np.ones(1, np.float32), "few")
        places = numpy_helper.from_array(np.zeros(1, np.int64))
        graph.sparse_initializer.append(helper.make_sparse_tensor(values, places, [9]))
    onnx.save(model, path)
    return path


KINDS = {
    "loop": "it has loops or branches",
    "elsewhere": "it keeps weights in another file",
    "constant": "it keeps weights in another file",
    "domain": "it has operators that are not ONNX's",
    "function": "it has functions",
    "sparse": "it has sparse weights",
}


@pytest.mark.parametrize(("how", "words"), KINDS.items())
def test_a_file_with_our_notes_that_is_none_of_ours_is_refused(tmp_path, how, words):
    path = spoilt(tmp_path / "net.onnx", how)
    with pytest.raises(WeightsError, match=f"not made by 'clearzoom export': {words}"):
        clearzoom.load_network(str(path), 2)


def test_a_card_beside_it_makes_it_none_of_ours(tmp_path, own_folder):
    path = spoilt(tmp_path / "fast-x2.onnx", "loop")
    card = json.loads((FOLDER / "fast-x2.json").read_text())
    content = path.read_bytes()
    digest = hashlib.sha256(content).hexdigest()
    card["files"] = [{"name": path.name, "sha256": digest, "bytes": len(content)}]
    path.with_suffix(".json").write_text(json.dumps(card))
    with pytest.raises(WeightsError, match="it has loops or branches"):
        add_model(path, None, "mine", print)
    assert not own_folder.is_dir()


def test_what_stands_beside_a_file_is_looked_at_too(tmp_path, photo):
    for name in ("photo-x2.onnx", "photo-x2.json"):
        (tmp_path / name).write_bytes((FOLDER / name).read_bytes())
    loop = spoilt(tmp_path / "loop.onnx", "loop")
    loop.rename(estimator_file(tmp_path / "photo-x2.onnx"))
    with pytest.raises(WeightsError, match=r"photo-x2-level\.onnx was not made"):
        clearzoom.enlarge(photo[:20, :20], 2, str(tmp_path / "photo-x2.onnx"))
    perceptual = tmp_path / "photo-crisp-x4.onnx"
    perceptual.write_bytes((FOLDER / perceptual.name).read_bytes())
    spoilt(tmp_path / "photo-x4.onnx", "loop")
    with pytest.raises(WeightsError, match=r"photo-x4\.onnx was not made"):
        clearzoom.load_network(str(perceptual), 4, strength=0.5)


def test_what_is_released_is_enclosed():
    for path in FOLDER.glob("*.onnx"):
        check_enclosed(path.read_bytes(), path)


def test_a_file_that_is_cut_is_damaged(tmp_path):
    content = (FOLDER / "fast-x2.onnx").read_bytes()
    with pytest.raises(WeightsError, match="is damaged"):
        check_enclosed(content[: len(content) // 2], tmp_path / "net.onnx")
