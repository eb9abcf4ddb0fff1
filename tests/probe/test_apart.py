"""Foreign networks that end, block or fill the process that runs them."""

import platform

import numpy as np
import onnx
import pytest
from helpers.graphs import constant, convolved, helper, kernel, resized, saved, value
from onnx import TensorProto

from clearzoom.errors import ModelError, WeightsError
from clearzoom.probe.add import add_model
from clearzoom.probe.apart import Limits

pytestmark = pytest.mark.slow

x86 = pytest.mark.skipif(
    platform.machine().lower() not in ("x86_64", "amd64"),
    reason="other processors give a number for what x86 stops at",
)


def dividing(path, always=False):
    """Divides the least whole number by -1, at heights up to 8 or at all: x86 stops at that."""
    nodes, constants = resized(2, target="large")
    nodes += [
        helper.make_node("Shape", ["x"], ["sides"]),
        helper.make_node("Gather", ["sides", "two"], ["height"]),
        helper.make_node("Sub", ["height", "nine"], ["more"]),
        helper.make_node("Min" if always else "Max", ["more", "minus"], ["divisor"]),
        helper.make_node("Div", ["least", "divisor"], ["share"]),
        helper.make_node("Cast", ["share"], ["number"], to=TensorProto.FLOAT),
        helper.make_node("Mul", ["number", "nothing"], ["zero"]),
        helper.make_node("Add", ["large", "zero"], ["y"]),
    ]
    numbers = {"two": 2, "nine": 9, "minus": -1, "least": -(2**63)}
    constants += [constant(name, number, np.int64) for name, number in numbers.items()]
    return saved(path, nodes, [*constants, constant("nothing", 0)])


def looping(path):
    """Never ends: its loop has no number of rounds, and its condition stays true."""
    body = helper.make_graph(
        [
            helper.make_node("Identity", ["again"], ["still"]),
            helper.make_node("Identity", ["before"], ["after"]),
        ],
        "body",
        [
            value("round", [], TensorProto.INT64),
            value("again", [], TensorProto.BOOL),
            value("before", None),
        ],
        [value("still", [], TensorProto.BOOL), value("after", None)],
    )
    nodes, constants = resized(2, target="large")
    nodes.append(helper.make_node("Loop", ["", "true", "large"], ["y"], body=body))
    return saved(path, nodes, [*constants, constant("true", True, bool)])


def filling(path):
    """Asks for 400 GB."""
    nodes, constants = resized(2, target="large")
    nodes += [
        helper.make_node("ConstantOfShape", ["much"], ["field"]),
        helper.make_node("ReduceMax", ["field"], ["zero"], keepdims=0),
        helper.make_node("Add", ["large", "zero"], ["y"]),
    ]
    return saved(path, nodes, [*constants, constant("much", [10**11], np.int64)])


@x86
def test_the_least_size_is_above_one_that_ends_the_process(own_folder, tmp_path):
    said = []
    card = add_model(dividing(tmp_path / "net.onnx"), "CC0-1.0", "theirs", said.append)
    assert card.interface.sizes.minimum_px == 10
    assert any("any multiple of 1 px from 10 px on" in line for line in said)
    assert any("it does not take this size" in line and "SIGFPE" in line for line in said)


@x86
def test_one_that_ends_the_process_at_every_size_is_refused_with_the_signal(own_folder, tmp_path):
    path = dividing(tmp_path / "net.onnx", always=True)
    with pytest.raises(ModelError, match=r"net\.onnx cannot be used: onnxruntime .*SIGFPE at"):
        add_model(path, "CC0-1.0", "theirs", print)
    assert not own_folder.exists()


def test_one_that_never_ends_is_refused_once_its_time_is_over(own_folder, tmp_path):
    path, limits = looping(tmp_path / "net.onnx"), Limits(seconds=5, seconds_per_px=0)
    with pytest.raises(ModelError, match="for longer than it may"):
        add_model(path, "CC0-1.0", "theirs", print, limits)
    assert not own_folder.exists()


def test_one_that_fills_the_memory_is_refused_with_the_limit(own_folder, tmp_path):
    path, limits = filling(tmp_path / "net.onnx"), Limits(memory_bytes=3 * 10**9)
    with pytest.raises(ModelError, match=r"more than the 3\.0 GB that it may have"):
        add_model(path, "CC0-1.0", "theirs", print, limits)


def elsewhere(path, location, times=1, **more):
    """A network whose weights lie in a file beside it."""
    convolved(path, 2)
    model = onnx.load(path)
    (tensor,) = [each for each in model.graph.initializer if each.name == "w"]
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    for key, text in {"location": location, **more}.items():
        tensor.external_data.add(key=key, value=str(text))
    for index in range(1, times):
        model.graph.initializer.add().CopyFrom(tensor)
        model.graph.initializer[-1].name = f"w{index}"
    onnx.save(model, path)
    return path


@pytest.mark.parametrize("name", ["x" * 5000, "a\0b", "", ".", "loop", "../w"])
def test_weights_in_what_can_be_no_file_beside_it_are_refused(own_folder, tmp_path, name):
    (tmp_path / "loop").symlink_to("loop")
    with pytest.raises(WeightsError, match=r"net\.onnx (keeps|wants) weights") as raised:
        add_model(elsewhere(tmp_path / "net.onnx", name), "CC0-1.0", "theirs", print)
    assert len(str(raised.value)) < 400


def test_weights_beside_it_are_taken_by_the_part(own_folder, tmp_path):
    weights = kernel().astype("<f4").tobytes()
    (tmp_path / "w").write_bytes(bytes(64) + weights + bytes(64))
    path = elsewhere(tmp_path / "net.onnx", "w", offset=64, length=len(weights))
    assert add_model(path, "CC0-1.0", "theirs", print).scale == 2
    for more in ({"offset": 10**6}, {"length": -1}, {"offset": "x"}, {"offset": "9" * 5000}):
        with pytest.raises(WeightsError, match=r"net\.onnx"):
            add_model(elsewhere(path, "w", **more), "CC0-1.0", "other", print)


def test_one_large_file_that_is_named_many_times_is_counted_before_it_is_read(own_folder, tmp_path):
    with (tmp_path / "w").open("wb") as file:
        file.truncate(100_000_000)  # of no bytes on the disk
    path = elsewhere(tmp_path / "net.onnx", "w", times=60)
    with pytest.raises(WeightsError, match=r"has 2\.\d GB or more; networks above 2 GB"):
        add_model(path, "CC0-1.0", "theirs", print)


def test_graphs_that_lie_in_one_another_without_end_are_refused(own_folder, tmp_path):
    deep = b""
    for _ in range(5000):  # graph, node, attribute, graph: protobuf's own writer would refuse
        for field in (0x32, 0x2A, 0x0A):  # attribute.g, node.attribute, graph.node
            deep = bytes([field]) + length(len(deep)) + deep
    path = tmp_path / "net.onnx"
    path.write_bytes(b"\x3a" + length(len(deep)) + deep)
    with pytest.raises(WeightsError, match=r"net\.onnx: its graphs are nested"):
        add_model(path, "CC0-1.0", "theirs", print)


def length(number):
    parts = bytearray()
    while number > 127:
        parts.append(number & 127 | 128)
        number >>= 7
    return bytes([*parts, number])
