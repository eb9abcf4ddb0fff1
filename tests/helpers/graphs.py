"""Small ONNX graphs of the kinds that people bring, good and bad."""

import numpy as np
import onnx
from onnx import TensorProto, compose, helper, numpy_helper

from clearzoom.weights import FOLDER


def constant(name, values, dtype=np.float32):
    return numpy_helper.from_array(np.asarray(values, dtype), name)


def value(name, shape, kind=TensorProto.FLOAT):
    return helper.make_tensor_value_info(name, kind, shape)


def saved(path, nodes, constants=(), given=(1, 3, "h", "w"), gives=None, kind=TensorProto.FLOAT):
    """A graph from x to y."""
    gives = [None] * len(given) if gives is None else gives
    graph = helper.make_graph(
        nodes, "net", [value("x", given, kind)], [value("y", gives, kind)], list(constants)
    )
    opsets = [helper.make_opsetid("", 18), helper.make_opsetid("acme", 1)]
    model = helper.make_model(graph, opset_imports=opsets, ir_version=10)
    onnx.save(model, path)
    return path


def kernel(channels=3, side=3, seed=0, strength=0.02):
    """Nearly nothing but the middle: a small random kernel."""
    weights = np.random.default_rng(seed).normal(0, strength, (channels, channels, side, side))
    weights[range(channels), range(channels), side // 2, side // 2] += 1
    return weights - (weights.sum((1, 2, 3), keepdims=True) - 1) / weights[0].size


def resized(scale, source="x", target="y", mode="cubic", across=None):
    """Nodes and constants of an interpolation."""
    name = f"{target}-scales"
    more = {"cubic_coeff_a": -0.5} if mode == "cubic" else {}
    node = helper.make_node("Resize", [source, "", name], [target], mode=mode, **more)
    return [node], [constant(name, [1, 1, scale, scale if across is None else across])]


def convolved(path, scale, given=(1, 3, "h", "w"), channels=3, dtype=np.float32, **kernels):
    """Interpolation and one convolution with zeros around the picture."""
    nodes, constants = resized(scale, target="large")
    weights = kernel(channels, **kernels)
    side = weights.shape[-1]
    nodes.append(helper.make_node("Conv", ["large", "w"], ["y"], pads=[side // 2] * 4))
    kind = helper.np_dtype_to_tensor_dtype(np.dtype(dtype))
    return saved(path, nodes, [*constants, constant("w", weights, dtype)], given, kind=kind)


def in_blocks(path, scale=2, block=4):
    """Convolves blocks as channels: sizes must be multiples, and places within a block matter."""
    nodes, constants = resized(scale, source="back")
    weights = kernel(3 * block * block, strength=0.002)
    first = [
        helper.make_node("SpaceToDepth", ["x"], ["deep"], blocksize=block),
        helper.make_node("Conv", ["deep", "w"], ["seen"], pads=[1, 1, 1, 1]),
        helper.make_node("DepthToSpace", ["seen"], ["back"], blocksize=block),
    ]
    return saved(path, [*first, *nodes], [*constants, constant("w", weights)])


def of_the_mean(path, much=1.1):
    """Draws the picture away from its own mean."""
    nodes, constants = resized(2, target="large")
    nodes += [
        helper.make_node("GlobalAveragePool", ["large"], ["mean"]),
        helper.make_node("Sub", ["large", "mean"], ["contrast"]),
        helper.make_node("Mul", ["contrast", "much"], ["more"]),
        helper.make_node("Add", ["mean", "more"], ["y"]),
    ]
    return saved(path, nodes, [*constants, constant("much", much)])


def of_the_place(path):
    """Is brighter towards one side of its fixed size."""
    ramp = np.linspace(0, 1, 128, dtype=np.float32)
    nodes, constants = resized(2, target="large")
    nodes += [
        helper.make_node("Mul", ["large", "ramp"], ["more"]),
        helper.make_node("Add", ["large", "more"], ["y"]),
    ]
    return saved(path, nodes, [*constants, constant("ramp", ramp**8 / 8)], (1, 3, 64, 64))


def ours(path, scale, low, high, order="RGB"):
    """The released network "fast" with numbers from low to high, as others' networks have."""
    net = onnx.load(FOLDER / f"fast-x{scale}.onnx")
    del net.metadata_props[:]
    net = compose.add_prefix(net, "net-")
    graph = net.graph
    turned = constant("turned", [2, 1, 0] if order == "BGR" else [0, 1, 2], np.int64)
    graph.initializer.extend(
        [constant("low", low), constant("span", high - low), constant("half", 0.5), turned]
    )
    before = [
        helper.make_node("Gather", ["x", "turned"], ["rgb"], axis=1),
        helper.make_node("Sub", ["rgb", "low"], ["from-0"]),
        helper.make_node("Div", ["from-0", "span"], ["to-1"]),
        helper.make_node("Sub", ["to-1", "half"], [graph.input[0].name]),
    ]
    after = [
        helper.make_node("Add", [graph.output[0].name, "half"], ["out-1"]),
        helper.make_node("Mul", ["out-1", "span"], ["wide"]),
        helper.make_node("Add", ["wide", "low"], ["placed"]),
        helper.make_node("Gather", ["placed", "turned"], ["y"], axis=1),
    ]
    nodes = [*before, *graph.node, *after]
    del graph.node[:], graph.input[:], graph.output[:]
    graph.node.extend(nodes)
    graph.input.append(value("x", (1, 3, "h", "w")))
    graph.output.append(value("y", (1, 3, "H", "W")))
    onnx.save(net, path)
    return path
